"""Joint networks: branches, missing modalities, tuning, saving, starting points."""

import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.helper import SliceDict
from torch import nn

from sklearn_mm import (
    AbstentionWarning,
    AudioLoader,
    ImageLoader,
    LoadError,
    LogMelSpectrogram,
    MultimodalNetClassifier,
    MultimodalNetRegressor,
    MultimodalVotingClassifier,
    MultitaskNet,
    NetClassifier,
    NetEncoder,
    TextTokenizer,
    TextVectorizer,
)
from sklearn_mm.datasets import load_av_digits
from sklearn_mm.nets import (
    AudioCNN,
    ConcatFusion,
    ImageCNN,
    SequenceRNN,
    TabularMLP,
    TextCNN,
)
from sklearn_mm.neural._balance import compute_contributions
from sklearn_mm.neural._multimodal import FUSIONS
from sklearn_mm.neural._target import Target

QUICK = {"max_epochs": 4, "lr": 0.01, "random_state": 0}
SMALL = {
    "backbones": {"a": TabularMLP, "b": TabularMLP},
    "backbones__a__hidden_sizes": (16,),
    "backbones__b__hidden_sizes": (16,),
}
COLUMNS = {"a": ["a0", "a1"], "b": ["b0", "b1", "b2"]}
BRANCHES = [
    ("a", "passthrough", COLUMNS["a"]),
    ("b", StandardScaler(), COLUMNS["b"]),
]
KINDS = {
    "classifier": MultimodalNetClassifier(BRANCHES, **QUICK, **SMALL),
    "regressor": MultimodalNetRegressor(BRANCHES, **QUICK, **SMALL),
    "multitask": MultitaskNet(BRANCHES, **QUICK, **SMALL),
}


def make_table(n=240, seed=0):
    """Two modalities; the class is whether theirs differ."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (n, 2))
    table = rng.normal(0, 0.3, (n, 5)) + np.repeat(bits * 2 - 1, [2, 3], axis=1)
    X = pd.DataFrame(table, columns=COLUMNS["a"] + COLUMNS["b"])
    return X, bits[:, 0] ^ bits[:, 1]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def answer(net, X):
    """Whatever a kind of net predicts most finely."""
    if isinstance(net, MultitaskNet):
        return np.column_stack(list(net.predict_proba(X).values()))
    return net.predict_proba(X) if hasattr(net, "classes_") else net.predict(X)


def make_target(kind, y):
    return pd.DataFrame({"one": y, "other": 1 - y}) if kind == "multitask" else y


@pytest.mark.parametrize("fusion", FUSIONS)
def test_what_needs_both_modalities_is_learned(fusion):
    X, y = make_table(500)
    net = MultimodalNetClassifier(
        BRANCHES,
        fusion=fusion,
        lr=0.003,
        max_epochs=40,
        early_stopping=False,
        random_state=0,
        **SMALL,
    )
    assert net.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.95


def test_votes_cannot_learn_what_needs_both_modalities():
    X, y = make_table(500)
    net = NetClassifier(TabularMLP, max_epochs=20, random_state=0)
    vote = MultimodalVotingClassifier(
        [(name, net, columns) for name, columns in COLUMNS.items()]
    )
    assert vote.fit(X[:300], y[:300]).score(X[300:], y[300:]) < 0.7


@pytest.mark.parametrize("fusion", [*FUSIONS, ConcatFusion, ConcatFusion((16, 16))])
def test_the_values_of_an_absent_modality_do_not_count(fusion):
    X, y = make_table(60)
    gaps = X.copy()
    gaps.loc[:20, COLUMNS["a"]] = np.nan
    net = MultimodalNetClassifier(BRANCHES, fusion=fusion, **QUICK, **SMALL)
    net.fit(gaps, y)
    samples = net._check_samples(gaps, reset=False)
    assert not samples["__present__"][:21, 0].any()
    expected = net._forward(samples)
    samples["a"] = np.where(samples["__present__"][:, :1], samples["a"], 1e9)
    np.testing.assert_array_equal(net._forward(samples), expected)
    np.testing.assert_array_equal(net.predict_proba(gaps), expected)


def test_rows_without_any_modality_get_the_prior(kind):
    X, y = make_table(80)
    y[:50] = 0
    gaps = X.copy()
    gaps.iloc[[3, 70]] = np.nan
    net = clone(KINDS[kind]).fit(X, make_target(kind, y))
    with pytest.warns(AbstentionWarning, match="2 of 80 rows"):
        answers = answer(net, gaps)
    prior = {
        "classifier": [(y == 0).mean(), (y == 1).mean()],
        "regressor": y.mean(),
        "multitask": [(y == 0).mean(), (y == 1).mean()] * 1
        + [(y == 1).mean(), (y == 0).mean()],
    }
    np.testing.assert_allclose(answers[3], prior[kind], rtol=1e-5)
    np.testing.assert_allclose(answers[70], prior[kind], rtol=1e-5)
    others = np.delete(np.arange(80), [3, 70])
    np.testing.assert_allclose(answers[others], answer(net, X)[others], rtol=1e-4)
    assert np.isnan(net.transform(gaps)[[3, 70]]).all()


def test_rows_without_any_modality_are_left_out_of_training():
    X, y = make_table(80)
    gaps = X.copy()
    gaps.iloc[[3, 70]] = np.nan
    others = np.delete(np.arange(80), [3, 70])
    net = clone(KINDS["classifier"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = net.fit(X.iloc[others], y[others]).predict_proba(X)
        np.testing.assert_array_equal(net.fit(gaps, y).predict_proba(X), expected)


def test_modality_dropout_trains_for_gaps():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    X = pd.DataFrame(rng.normal(0, 1, (400, 5)), columns=COLUMNS["a"] + COLUMNS["b"])
    X["a0"] += 6 * y  # tells all, so that b, which tells much, need not be learned
    X[COLUMNS["b"]] += 1.5 * y[:, None]
    gaps = X[200:].copy()
    gaps[COLUMNS["a"]] = np.nan
    scores = [
        clone(KINDS["classifier"])
        .set_params(max_epochs=15, modality_dropout=share)
        .fit(X[:200], y[:200])
        .score(gaps, y[200:])
        for share in (0.0, 0.5)
    ]
    assert scores[1] > max(0.85, scores[0])


@pytest.fixture(scope="module")
def digits():
    X, y = load_av_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))
    return X.iloc[rows].reset_index(drop=True), np.asarray(y)[rows]


def make_digits_net(**options):
    sound = make_pipeline(
        AudioLoader(8000, on_error="missing"), LogMelSpectrogram(8000, n_mels=20)
    )
    return MultimodalNetClassifier(
        [
            ("image", ImageLoader(on_error="missing"), "image"),
            ("sound", sound, "audio"),
        ],
        backbones={"image": ImageCNN, "sound": AudioCNN},
        **{
            "backbones__image__n_filters": 8,
            "backbones__sound__n_filters": 8,
            "max_epochs": 8,
            "lr": 0.003,
            "random_state": 0,
            **options,
        },
    )


def test_files_are_learned_with_gaps_and_broken_cells(digits):
    X, y = digits
    train, test = slice(0, 400), slice(400, None)
    gaps = X.copy()
    gaps.loc[::5, "audio"] = None
    gaps.loc[2, "image"] = b"no image"
    net = make_digits_net(fusion="mean").fit(gaps[train], y[train])
    assert net.score(X[test], y[test]) > 0.9
    broken = X[test].copy()
    broken.iloc[4, X.columns.get_loc("image")] = b"no image"
    expected = net.predict_proba(X[test])
    others = np.delete(np.arange(len(broken)), 4)
    np.testing.assert_allclose(
        net.predict_proba(broken)[others], expected[others], rtol=1e-3, atol=1e-5
    )


def test_a_broken_cell_names_its_branch(digits):
    X, y = digits
    broken = X.copy()
    broken.loc[7, "image"] = b"no image"
    net = make_digits_net(max_epochs=1).set_params(image__on_error="raise")
    with pytest.raises(LoadError, match="row 7") as caught:
        net.fit(broken, y)
    assert "modality 'image', columns 'image'" in caught.value.__notes__[0]


def test_branches_give_embeddings_and_scores(digits):
    X, y = digits[0][:200], digits[1][:200]
    net = make_digits_net(
        auxiliary_loss=0.5,
        fusion="bottleneck",
        backbones__image__n_blocks=2,
        max_epochs=6,
    ).fit(X, y)
    gaps = X.copy()
    gaps.loc[:9, "audio"] = None
    vectors = net.branch_embeddings(gaps)
    assert vectors["image"].shape == (200, 16 * 7 * 7)
    assert np.isnan(vectors["sound"]).all(axis=1).nonzero()[0].tolist() == [*range(10)]
    assert net.transform(X).shape == (len(X), len(net.get_feature_names_out()))
    scores = net.branch_scores(gaps, y)
    assert scores["image"] > 0.5
    heads = net.module_.branch_heads
    logits = heads[0](torch.from_numpy(vectors["image"])).detach().numpy()
    assert scores["image"] == np.mean(net.classes_[logits.argmax(axis=1)] == y)
    gaps["audio"] = None
    assert np.isnan(net.branch_scores(gaps, y)["sound"])
    assert not hasattr(make_digits_net(), "branch_scores")


def test_the_auxiliary_loss_is_that_of_the_branches_own_heads():
    X, y = make_table(40)
    X.loc[:9, COLUMNS["a"]] = np.nan
    net = clone(KINDS["classifier"]).set_params(auxiliary_loss=0.7, fusion="concat")
    net.fit(X, y)
    samples = net._check_samples(X, reset=False)
    batch = {key: torch.from_numpy(array) for key, array in samples.items()}
    net.module_.train()
    output, target = net.infer(batch), torch.from_numpy(y)
    entropy = nn.functional.cross_entropy
    own = [
        entropy(head(vectors), target, reduction="none")[present].mean()
        for head, vectors, present in zip(
            net.module_.branch_heads, output.parts, batch["__present__"].T
        )
    ]
    expected = entropy(output.prediction, target) + 0.7 * (own[0] + own[1]) / 2
    for given in (target, Target(target, torch.ones(40))):
        loss = net.get_loss(output, given, training=True)
        torch.testing.assert_close(loss, expected)


def test_branches_start_from_networks_trained_alone(digits):
    X, y = digits[0][:200], digits[1][:200]
    encoder = make_pipeline(
        ImageLoader(), NetEncoder(ImageCNN, module__n_filters=8, max_epochs=3)
    ).fit(X["image"], y)
    net = make_digits_net(
        init_from={"image": encoder}, freeze=["image"], max_epochs=2
    ).fit(X, y)
    expected = encoder.transform(X["image"])
    np.testing.assert_allclose(
        net.branch_embeddings(X)["image"], expected, rtol=1e-5, atol=1e-6
    )
    moved = clone(net).set_params(freeze=None).fit(X, y).branch_embeddings(X)["image"]
    assert np.abs(moved - expected).max() > 1e-3
    with pytest.raises(ValueError, match=r"init_from\['image'\].*same options"):
        clone(net).set_params(backbones__image__n_filters=4).fit(X, y)
    with pytest.raises(ValueError, match="freeze names \\['photo'\\]"):
        clone(net).set_params(freeze=["photo"]).fit(X, y)


def test_gradient_modulation_slows_the_branch_that_leads():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    X = pd.DataFrame(rng.normal(0, 1, (300, 5)), columns=COLUMNS["a"] + COLUMNS["b"])
    X["a0"] += 4 * y
    X["b0"] += y
    history = {}
    for balance in (None, "ogm"):
        net = clone(KINDS["classifier"]).set_params(
            balance=balance, balance__alpha=1.0, fusion="concat", max_epochs=8
        )
        net.fit(X, y)
        history[balance] = net.history_
        if balance:
            ours = np.array(history[balance][:, ("contribution_a", "contribution_b")])
            assert ((ours > 0) & (ours < 1)).all()
            assert (ours[:, 0] > ours[:, 1]).mean() > 0.8
    assert "contribution_a" not in history[None][-1]
    # What leads is slowed down, so the loss falls more slowly.
    assert history["ogm"][3, "train_loss"] > history[None][3, "train_loss"]


def test_gradient_modulation_follows_its_definition():
    X, y = make_table(64)
    net = (
        clone(KINDS["classifier"]).set_params(balance="ogm", fusion="concat").fit(X, y)
    )
    samples = net._check_samples(X, reset=False)
    batch = {key: torch.from_numpy(array) for key, array in samples.items()}
    target = torch.from_numpy(y)
    net.module_.train()
    output = net.infer(batch)
    shares = compute_contributions(
        net.module_, output, lambda logits: net._compute_row_losses(logits, target)
    )
    for i, share in enumerate(shares):
        parts = [v if j == i else v * 0 for j, v in enumerate(output.parts)]
        logits = net.module_.head(net.module_.fusion(parts, output.present))
        proba = logits.softmax(dim=1)[torch.arange(64), target].mean().item()
        assert abs(share - proba) < 1e-5
    net.get_loss(output, target).backward()
    gradients = [
        [p.grad.clone() for p in backbone.parameters()]
        for backbone in net.module_.backbones.values()
    ]
    net.history.new_epoch()
    net.history.new_batch()
    net._balance_branches(output, target)
    for i, backbone in enumerate(net.module_.backbones.values()):
        ratio = shares[i] / shares[1 - i]
        factor = 1 - np.tanh(0.3 * ratio) if ratio > 1 else 1.0
        for before, parameter in zip(gradients[i], backbone.parameters()):
            torch.testing.assert_close(parameter.grad, before * factor)


def test_parameters_reach_all_depths():
    net = make_digits_net(fusion__n_layers=1)
    params = net.get_params()
    assert params["image__color"] == "gray"
    assert params["sound__logmelspectrogram__n_mels"] == 20
    assert params["backbones__image"] is ImageCNN
    assert params["backbones__image__n_filters"] == 8
    other = clone(net).set_params(
        image__size=(20, 20),
        backbones__image=TabularMLP,
        sound="drop",
        fusion__n_layers=3,
        lr=0.5,
    )
    assert other.estimators[0][1].size == (20, 20)
    assert other.estimators[1] == ("sound", "drop", "audio")
    assert other.backbones == {"image": TabularMLP, "sound": AudioCNN}
    assert net.backbones == {"image": ImageCNN, "sound": AudioCNN}
    assert other.get_params()["fusion__n_layers"] == 3
    assert net.estimators[0][1].size == (28, 28)
    assert net.get_params()["sound__audioloader"] is not None
    with pytest.raises(ValueError, match="Invalid parameter 'oops'"):
        net.set_params(image__oops=3)
    with pytest.raises(ValueError, match="transformer of branch 'a' is 'passthrough'"):
        clone(KINDS["classifier"]).set_params(a__size=3)
    with pytest.raises(TypeError, match="'image__size', did you mean '.*__size'"):
        make_digits_net(image__size=3)
    with pytest.raises(ValueError, match="'fusoin'"):
        net.set_params(fusoin="mean")


def test_a_fitted_net_takes_any_parameter_and_fits_again():
    X, y = make_table(40)
    net = clone(KINDS["classifier"]).fit(X, y)
    for params in (
        {"batch_size": 8, "balance": "ogm", "auxiliary_loss": 0.1},  # as "a" and "b"
        {"fusion": "low_rank", "fusion__rank": 2},
        {"backbones__a__hidden_sizes": (3,), "b": "drop"},
        {"estimators": BRANCHES[::-1], "backbones__b__hidden_sizes": (5,)},
    ):
        expected = clone(net).set_params(**params).fit(X, y).predict_proba(X)
        net.set_params(**params)
        np.testing.assert_array_equal(net.fit(X, y).predict_proba(X), expected)


def test_grid_search_over_fusions_and_branches_equals_one_process():
    X, y = make_table(90)
    grid = {
        "fusion": ["concat", "mean"],
        "backbones__a__hidden_sizes": [(4,), (8, 8)],
        "b": ["passthrough", StandardScaler(), "drop"],
    }
    net = clone(KINDS["classifier"]).set_params(max_epochs=2)
    found = [
        GridSearchCV(net, grid, cv=2, n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(
        found[0].cv_results_["mean_test_score"], found[1].cv_results_["mean_test_score"]
    )
    assert not np.isnan(found[0].cv_results_["mean_test_score"]).any()


def test_a_saved_net_answers_the_same_in_another_process(kind, tmp_path):
    X, y = make_table(60)
    X.loc[:5, COLUMNS["b"]] = np.nan
    net = clone(KINDS[kind]).fit(X, make_target(kind, y))
    joblib.dump((net, X, answer(net, X)), tmp_path / "net.joblib")
    code = (
        "import sys, joblib, numpy as np\n"
        "from tests.neural.test_multimodal import answer\n"
        f"net, X, expected = joblib.load({str(tmp_path / 'net.joblib')!r})\n"
        "np.testing.assert_array_equal(answer(net, X), expected)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_seeds_reproduce_and_leave_the_global_generators(kind):
    X, y = make_table(60)
    target = make_target(kind, y)
    net = clone(KINDS[kind]).set_params(modality_dropout=0.3)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = answer(net.fit(X, target), X)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(answer(clone(net).fit(X, target), X), first)
    other = clone(net).set_params(random_state=1).fit(X, target)
    assert np.abs(answer(other, X) - first).max() > 1e-6


def test_tables_of_any_kind_give_the_same():
    X, y = make_table(60)
    expected = clone(KINDS["classifier"]).fit(X, y).predict_proba(X)
    polars = pl.from_pandas(X)
    np.testing.assert_array_equal(
        clone(KINDS["classifier"]).fit(polars, y).predict_proba(polars), expected
    )
    by_number = [
        (name, transformer, columns)
        for (name, transformer, _), columns in zip(BRANCHES, ([0, 1], slice(2, None)))
    ]
    net = clone(KINDS["classifier"]).set_params(estimators=by_number)
    array = X.to_numpy()
    np.testing.assert_array_equal(net.fit(array, y).predict_proba(array), expected)
    arrays = SliceDict(a=array[:, :2], b=array[:, 2:])
    net.set_params(estimators=[("a", BRANCHES[0][1], "a"), ("b", BRANCHES[1][1], "b")])
    np.testing.assert_array_equal(net.fit(arrays, y).predict_proba(arrays), expected)


def test_cells_of_any_kind_become_samples():
    rng = np.random.default_rng(0)
    words = np.array(["good", "bad", "fine", "poor"])
    y = rng.integers(0, 2, 80)
    X = pd.DataFrame(
        {
            "words": [" ".join(rng.choice(words[i::2], 3)) for i in y],
            "tokens": [" ".join(rng.choice(words[i::2], 3)) for i in y],
            "vector": list(rng.normal(size=(80, 4))),
            "series": [rng.normal(size=(rng.integers(3, 9), 2)) for _ in y],
            "number": rng.normal(size=80),
        }
    )
    X.loc[[0, 1], "tokens"] = None
    X.loc[[2], "vector"] = None
    X.loc[2, "tokens"] = ""
    net = MultimodalNetClassifier(
        [
            ("words", TextVectorizer(), "words"),
            ("tokens", TextTokenizer(), "tokens"),
            ("vector", "passthrough", "vector"),
            ("series", "passthrough", "series"),
            ("number", "passthrough", "number"),
        ],
        backbones={
            "words": TabularMLP,
            "tokens": TextCNN,
            "vector": TabularMLP,
            "series": SequenceRNN,
            "number": TabularMLP,
        },
        **{**QUICK, "max_epochs": 20},
        fusion="concat",
    )
    assert net.fit(X[:60], y[:60]).score(X[60:], y[60:]) > 0.8
    assert net.input_shapes_["number"] == (1,)
    present = net._check_samples(X, reset=False)["__present__"]
    assert (~present).sum(axis=0).tolist() == [0, 2, 1, 0, 0]
    new = X[60:].copy()
    new["tokens"] = "never heard words"
    assert np.isfinite(net.predict_proba(new)).all()
    # Longer series than any in fit are read to their end.
    new["series"] = [np.ones((30, 2))] * 20
    changed = [np.vstack([np.ones((29, 2)), 9 * np.ones((1, 2))])] * 20
    first = net.predict_proba(new)
    assert np.abs(net.predict_proba(new.assign(series=changed)) - first).max() > 1e-6


def test_a_users_own_fusion_and_backbone_work():
    class Sum(nn.Module):
        def __init__(self, in_features, scale=1.0):
            super().__init__()
            self.out_features, self.scale = max(in_features), scale

        def forward(self, vectors, present):
            return self.scale * sum(v * p[:, None] for v, p in zip(vectors, present.T))

    class Own(nn.Module):
        def __init__(self, input_shape, width=3):
            super().__init__()
            self.layer, self.out_features = nn.Linear(*input_shape, width), width

        def forward(self, x):
            return self.layer(x)

    X, y = make_table(60)
    branches = [
        ("a", "passthrough", ["a0", "a1"]),
        ("b", "passthrough", "b0"),
    ]
    net = MultimodalNetClassifier(
        branches,
        backbones={"a": Own, "b": Own},
        fusion=Sum,
        fusion__scale=2.0,
        backbones__a__width=5,
        **QUICK,
    ).set_params(backbones__b__width=5)
    assert net.fit(X, y).module_.fusion.scale == 2.0
    assert net.transform(X).shape == (60, 5)
    net = MultimodalNetClassifier(
        [("a", "passthrough", "a0")], backbones={"a": nn.Flatten()}
    )
    assert net.fit(X, y).module_.backbones["a"].out_features == 1
    with pytest.raises(ValueError, match="branch 'a'|Unflatten cannot encode"):
        net.set_params(backbones__a=nn.Unflatten(1, (1, 1))).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimators": []}, "non-empty list"),
        ({"estimators": [("a", "passthrough", TabularMLP, "a0")]}, "columns"),
        ({"estimators": [("a__b", "passthrough", "a0")]}, "'a__b'"),
        ({"estimators": [("lr", "passthrough", "a0")]}, "conflict.*'lr'"),
        ({"estimators": [("fusion", "passthrough", "a0")]}, "'fusion' is taken"),
        ({"estimators": [("keys", "passthrough", "a0")]}, "'keys' is taken"),
        ({"estimators": [BRANCHES[0], BRANCHES[0]]}, "not unique"),
        ({"estimators": [("a", "passthrough", "z")]}, "no column"),
        ({"backbones": {"a": TabularMLP}}, "none for the branches \\['b'\\]"),
        ({"backbones__c": TabularMLP}, "backbones names \\['c'\\]"),
        ({"backbones__c__dropout": 0.1}, "backbones names \\['c'\\]"),
        ({"backbones": [TabularMLP]}, "must be a dict"),
        ({"backbones__a": 3}, "expected a backbone"),
        ({"a": TabularMLP}, "expected a transformer"),
        ({"fusion": "sum"}, "fusion"),
        ({"modality_dropout": 1.0}, "modality_dropout"),
        ({"balance": "oops"}, "balance"),
        ({"fusion__oops": 1}, "oops"),
        ({"backbones__a__oops": 1}, "oops"),
        ({"init_from": {"z": 1}}, "init_from names"),
        ({"a": "drop", "b": "drop"}, "All modalities"),
    ],
)
def test_wrong_parameters_are_refused_with_a_reason(params, message):
    X, y = make_table(40)
    with pytest.raises((ValueError, TypeError), match=message):
        clone(KINDS["classifier"]).set_params(**params).fit(X, y)


def test_a_backbone_refuses_samples_of_another_modality():
    X, y = make_table(40)
    net = MultimodalNetClassifier(
        [("c", "passthrough", "a0")], backbones={"c": ImageCNN}, **QUICK
    )
    with pytest.raises(ValueError, match="images"):
        net.fit(X, y)


def test_a_failed_fit_leaves_no_fitted_net_and_a_failed_prediction_a_fitted_one():
    X, y = make_table(40)
    net = clone(KINDS["classifier"]).fit(X, y)
    expected = net.predict_proba(X)
    with pytest.raises(ValueError, match="no column"):
        net.predict(X.drop(columns="b0"))
    np.testing.assert_array_equal(net.predict_proba(X), expected)
    for wrong in (X.drop(columns="b0"), X[:0], X.assign(a0="word")):
        with pytest.raises(ValueError):
            clone(net).fit(X, y).fit(wrong, y)
        with pytest.raises(ValueError):
            net.fit(wrong, y)
        with pytest.raises(NotFittedError):
            net.predict(X)
    np.testing.assert_array_equal(net.fit(X, y).predict_proba(X), expected)


def test_shapes_are_those_of_fit_and_errors_name_the_branch():
    X, y = make_table(40)
    arrays = {"a": X[COLUMNS["a"]].to_numpy(), "b": X[COLUMNS["b"]].to_numpy()}
    net = MultimodalNetClassifier(
        [(name, "passthrough", name) for name in arrays],
        backbones=dict.fromkeys(arrays, TabularMLP),
        **QUICK,
    ).fit(SliceDict(**arrays), y)
    with pytest.raises(ValueError, match=r"branch 'b'.*\(3,\), got \(2,\)"):
        net.predict(SliceDict(a=arrays["a"], b=arrays["b"][:, :2]))
    with pytest.raises(ValueError, match="no column \\['b'\\]"):
        net.predict(SliceDict(a=arrays["a"]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(net).fit(SliceDict(**arrays), y[:-1])
    with pytest.raises(ValueError, match="differ in length: {'a': 40, 'b': 39}"):
        clone(net).fit({"a": arrays["a"], "b": arrays["b"][1:]}, y)
    np.testing.assert_array_equal(net.predict(arrays), net.predict(SliceDict(**arrays)))
    halve = FunctionTransformer(lambda x: x[::2])
    with pytest.raises(ValueError, match="branch 'b'.*20 samples of 40 rows"):
        clone(net).set_params(b=halve).fit(arrays, y)
    words = X.assign(a0="word")
    with pytest.raises(ValueError) as caught:
        clone(KINDS["classifier"]).fit(words, y)
    assert "modality 'a'" in caught.value.__notes__[0]


def test_a_modality_that_is_never_there_can_be_left_out():
    X, y = make_table(60)
    gaps = X.copy()
    gaps[COLUMNS["a"]] = np.nan
    net = clone(KINDS["classifier"])
    with pytest.raises(ValueError, match="missing from every row"):
        net.fit(gaps, y)
    with pytest.warns(UserWarning, match="'a' is missing from every row"):
        net.set_params(on_absent="drop").fit(gaps, y)
    alone = clone(KINDS["classifier"]).set_params(a="drop").fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), alone.predict_proba(X))


def test_warm_starts_and_more_epochs_go_on():
    X, y = make_table(60)
    net = clone(KINDS["classifier"]).set_params(early_stopping=False, max_epochs=2)
    net.partial_fit(X, y)
    once = answer(net, X)
    net.partial_fit(X, y)
    assert len(net.history_) == 4
    assert np.abs(answer(net, X) - once).max() > 1e-6


def test_it_is_a_step_of_a_pipeline_and_a_member_of_a_vote():
    X, y = make_table(80)
    net = clone(KINDS["classifier"]).set_params(max_epochs=15)
    model = make_pipeline(net, LogisticRegression())
    assert model.fit(X, y).score(X, y) > 0.9
    vote = MultimodalVotingClassifier(
        [("joint", net, slice(None)), ("a", LogisticRegression(), COLUMNS["a"])]
    )
    assert vote.fit(X, y).predict_proba(X).shape == (80, 2)
    assert "TabularMLP" in net._repr_html_()
