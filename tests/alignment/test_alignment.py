"""Aligners: their common interface, and the promises of each."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from scipy.linalg import eigh
from sklearn.base import clone
from sklearn.cross_decomposition import CCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch import nn

from sklearn_mm import (
    CanonicalAligner,
    ContrastiveAligner,
    ImageLoader,
    LoadError,
    MultimodalNetClassifier,
    NetEncoder,
    TextTokenizer,
    TextVectorizer,
    VectorStacker,
)
from sklearn_mm.metrics import mean_average_precision, recall_at_1_scorer
from sklearn_mm.nets import ImageCNN, SequenceRNN, TabularMLP, TextCNN
from sklearn_mm.neural._batches import as_tensors

QUICK = {"max_epochs": 8, "lr": 0.01, "embedding_dim": 8, "random_state": 0}
NUMBERS = [("a", VectorStacker(), "a"), ("b", VectorStacker(), "b")]
MLPS = {"a": TabularMLP, "b": TabularMLP}
ALIGNERS = {
    "clip": ContrastiveAligner(NUMBERS, backbones=MLPS, **QUICK),
    "siglip": ContrastiveAligner(
        NUMBERS,
        backbones=MLPS,
        loss="siglip",
        batch_size=32,
        **{**QUICK, "max_epochs": 20},
    ),
    "cached": ContrastiveAligner(NUMBERS, backbones=MLPS, chunk_size=20, **QUICK),
    "svd": CanonicalAligner(NUMBERS, n_components=8),
    "nipals": CanonicalAligner(NUMBERS, n_components=3, solver="nipals"),
}


def get_dimensions_parameter(aligner):
    is_linear = isinstance(aligner, CanonicalAligner)
    return "n_components" if is_linear else "embedding_dim"


def make_pairs(n_samples=200, seed=0):
    """Make two noisy views of three latent variables."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((n_samples, 3))
    maps = np.random.default_rng(42).standard_normal((2, 3, 6))
    a, b = (
        hidden @ m + 0.05 * rng.standard_normal((n_samples, m.shape[1])) for m in maps
    )
    return pd.DataFrame({"a": list(a), "b": list(b)})


@pytest.fixture(params=ALIGNERS)
def aligner(request):
    return clone(ALIGNERS[request.param])


@pytest.fixture(scope="module")
def pairs():
    return make_pairs()


def test_counterparts_are_found_among_new_rows(aligner, pairs):
    new = make_pairs(50, seed=1)
    score = aligner.fit(pairs).score(new)
    similarity = aligner.transform(new, "a") @ aligner.transform(new, "b").T
    there = mean_average_precision(similarity)
    back = mean_average_precision(similarity.T)
    assert score == pytest.approx((there + back) / 2)
    assert score > 0.5  # by chance 0.09


def test_vectors_have_length_one_and_a_row_depends_on_itself(aligner, pairs):
    aligner.fit(pairs)
    for name in aligner.modalities_:
        vectors = aligner.transform(pairs, modality=name)
        assert vectors.shape == (len(pairs), aligner.embedding_dim_)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
        some = aligner.transform(pairs[::-1][:7], modality=name)
        np.testing.assert_allclose(some, vectors[::-1][:7], atol=1e-5)


def test_a_modality_needs_its_own_column_only(aligner, pairs):
    aligner.fit(pairs)
    expected = aligner.transform(pairs, modality="b")
    stacked = np.stack(pairs["b"].to_numpy())
    others = [
        pairs[["b"]],
        pairs["b"],
        pairs["b"].tolist(),
        stacked,
        pairs["b"].rename("anything"),
        pl.Series("anything", stacked),
        {"b": stacked},
    ]
    for other in others:
        np.testing.assert_array_equal(aligner.transform(other, "b"), expected)
    renamed = pairs.rename(columns={"b": "c"})
    for lacking in (renamed, renamed[["c"]], pairs[["a"]], {"a": stacked}):
        with pytest.raises(ValueError, match="modality 'b': X has no column"):
            aligner.transform(lacking, modality="b")
    for cell in ("b.jpg", b"bytes", None, 3.0):
        with pytest.raises(TypeError, match=r"Pass a single cell as a list: \[cell\]"):
            aligner.transform(cell, modality="b")
    with pytest.raises(ValueError, match="modality must be one of"):
        aligner.transform(pairs, modality="c")
    assert aligner.transform(stacked[:0], modality="b").shape == (
        0,
        aligner.embedding_dim_,
    )


def test_missing_cells_are_nan_and_the_mean_is_of_present_modalities(aligner, pairs):
    gaps = pairs.copy()
    gaps["a"] = [None if i % 5 == 0 else cell for i, cell in enumerate(gaps["a"])]
    gaps["b"] = [None if i % 7 == 0 else cell for i, cell in enumerate(gaps["b"])]
    aligner.fit(gaps)
    rows = np.arange(len(gaps))
    a, b = (aligner.transform(gaps, modality=name) for name in "ab")
    both = aligner.transform(gaps)
    assert np.isnan(a).all(axis=1).tolist() == (rows % 5 == 0).tolist()
    assert np.isnan(b).all(axis=1).tolist() == (rows % 7 == 0).tolist()
    assert np.isnan(both).all(axis=1).tolist() == (rows % 35 == 0).tolist()
    np.testing.assert_allclose(both[5], b[5], atol=1e-6)
    mean = (a[1] + b[1]) / np.linalg.norm(a[1] + b[1])
    np.testing.assert_allclose(both[1], mean, atol=1e-5)


def test_rows_with_one_modality_have_no_effect(aligner, pairs):
    lonely = pd.concat([pairs, pairs[:30]], ignore_index=True)
    lonely.loc[len(pairs) :, "b"] = None
    fitted = clone(aligner).fit(pairs)
    other = aligner.fit(lonely)
    np.testing.assert_allclose(
        other.transform(pairs, "b"), fitted.transform(pairs, "b"), atol=1e-5
    )


def test_two_pairs_are_needed(aligner, pairs):
    for few in (pairs[:1], pairs[:4].assign(b=[None, None, None, pairs["b"][0]])):
        with pytest.raises(ValueError, match="needs two, got 1"):
            clone(aligner).fit(few)
    with pytest.raises(ValueError, match="two (branches|modalities) or more"):
        clone(aligner).set_params(b="drop").fit(pairs)
    with pytest.raises(ValueError, match="missing from every row"):
        clone(aligner).fit(pairs.assign(b=None))


def test_a_broken_cell_is_named_and_a_failed_fit_unfits(aligner, pairs):
    aligner.fit(pairs)
    broken = pairs.copy()
    broken.at[3, "a"] = np.ones(4)
    with pytest.raises(LoadError, match="row 3") as caught:
        aligner.transform(broken)
    assert "modality 'a'" in caught.value.__notes__[0]
    with pytest.raises(LoadError, match="row 3"):
        aligner.fit(broken)
    with pytest.raises(NotFittedError):
        aligner.transform(pairs)


class Interrupting(VectorStacker):
    """Raises ``error`` in ``fit_transform``, if there is one."""

    def __init__(self, error=None):
        super().__init__()
        self.error = error

    def fit_transform(self, X, y=None):
        if self.error is not None:
            raise self.error
        return super().fit_transform(X)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("was_fitted", [False, True])
def test_a_fit_that_fails_leaves_an_aligner_that_is_not_fitted(
    pairs, error, was_fitted
):
    numbers = [NUMBERS[0], ("b", Interrupting(), "b")]
    aligner = CanonicalAligner(numbers)
    if was_fitted:
        aligner.fit(pairs).transform(pairs)
    with pytest.raises(error):
        aligner.set_params(b__error=error).fit(pairs)
    for method in (aligner.transform, aligner.score):
        with pytest.raises(NotFittedError):
            method(pairs)
    assert aligner.set_params(b__error=None).fit(pairs).score(pairs) > 0.5


def test_modalities_by_position_take_the_table_or_their_own_columns():
    table = np.random.default_rng(0).random((50, 5))
    table[:, 2:4] += table[:, :2]
    frame = pd.DataFrame(table, columns=list("abcde"))
    specs = [("x", "passthrough", slice(0, 2)), ("y", "passthrough", [2, 3])]
    aligner = CanonicalAligner(specs).fit(frame)
    expected = aligner.transform(frame, modality="y")
    for own in (frame, frame[["c", "d"]], frame.to_numpy(), table[:, 2:4]):
        np.testing.assert_array_equal(aligner.transform(own, modality="y"), expected)
    for other in (frame[["c"]], table[:, 2:5], frame[["a", "b", "c"]]):
        with pytest.raises(ValueError, match="modality 'y': X has . columns"):
            aligner.transform(other, modality="y")


def test_same_seed_same_space_in_another_process_too(aligner, pairs, tmp_path):
    expected = aligner.fit(pairs).transform(pairs)
    np.testing.assert_array_equal(clone(aligner).fit(pairs).transform(pairs), expected)
    file = str(tmp_path / "aligner.joblib")
    joblib.dump((aligner, pairs), file)
    code = (
        "import joblib, sys; a, X = joblib.load(sys.argv[1]);"
        "joblib.dump(a.transform(X), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    np.testing.assert_array_equal(joblib.load(file), expected)


def test_grid_search_tunes_by_retrieval(aligner, pairs):
    name = get_dimensions_parameter(aligner)
    search = GridSearchCV(aligner, {name: [1, 3]}, cv=2, n_jobs=2)
    assert search.fit(pairs).best_params_ == {name: 3}
    scores = cross_val_score(aligner, pairs, scoring=recall_at_1_scorer, cv=2)
    assert scores.mean() > 0.1  # by chance 0.01


def test_parameters_of_transformers_are_nested(aligner):
    names = set(aligner.get_params())
    assert {"a", get_dimensions_parameter(aligner), "estimators"} <= names
    twin = clone(aligner).set_params(a="passthrough")
    assert twin.estimators[0][1] == "passthrough"
    assert aligner.estimators[0][1] != "passthrough"


def test_set_output_names_the_dimensions(aligner, pairs):
    frame = aligner.fit(pairs).set_output(transform="pandas").transform(pairs, "a")
    assert frame.columns.tolist() == aligner.get_feature_names_out().tolist()
    assert frame.index.tolist() == pairs.index.tolist()
    assert aligner.score(pairs) > 0.5


def test_columns_are_selected_by_position_and_from_polars(pairs):
    table = np.hstack(
        [np.stack(pairs["a"].to_numpy()), np.stack(pairs["b"].to_numpy())]
    )
    branches = [
        ("a", StandardScaler(), slice(0, 6)),
        ("b", "passthrough", slice(6, 12)),
    ]
    aligner = CanonicalAligner(branches).fit(table)
    vectors = aligner.transform(table, modality="b")
    np.testing.assert_array_equal(aligner.transform(table[:, 6:], "b"), vectors)
    by_name = CanonicalAligner(NUMBERS).fit(pl.DataFrame(pairs.to_dict("list")))
    assert by_name.score(pl.DataFrame(pairs.to_dict("list"))) > 0.5


def compute_variates(aligner, X):
    raw = clone(aligner).set_params(normalize=False, power=0).fit(X)
    return [raw.transform(X, modality=name).astype(float) for name in "ab"]


@pytest.mark.parametrize("solver", ["svd", "nipals"])
def test_correlations_are_those_of_scikit_learn(solver, pairs):
    options = {"shrinkage": 0} if solver == "svd" else {}
    aligner = CanonicalAligner(NUMBERS, n_components=4, solver=solver, **options)
    a, b = (np.stack(pairs[name].to_numpy()) for name in "ab")
    reference = CCA(4, max_iter=5000, tol=1e-12).fit_transform(a, b)
    expected = [np.corrcoef(x, y)[0, 1] for x, y in zip(*(r.T for r in reference))]
    for first, second in zip(*compute_variates(aligner, pairs)):
        assert len(first) == len(second) == 4
    found = [
        np.corrcoef(x, y)[0, 1]
        for x, y in zip(*(v.T for v in compute_variates(aligner, pairs)))
    ]
    np.testing.assert_allclose(found, expected, atol=2e-3)
    np.testing.assert_allclose(aligner.fit(pairs).correlations_, expected, atol=2e-3)


def test_shrinkage_solves_the_regularised_eigenproblem(pairs):
    a, b = (np.stack(pairs[name].to_numpy()) for name in "ab")
    share = 0.3

    def shrink(cov):
        return (1 - share) * cov + share * np.trace(cov) / len(cov) * np.eye(len(cov))

    cov = np.cov(np.hstack([a, b]).T)
    within = np.zeros_like(cov)
    within[:6, :6], within[6:, 6:] = shrink(cov[:6, :6]), shrink(cov[6:, 6:])
    across = cov.copy()
    across[:6, :6] = across[6:, 6:] = 0
    expected = eigh(across, within, eigvals_only=True)[::-1][:4]
    aligner = CanonicalAligner(NUMBERS, n_components=4, shrinkage=share).fit(pairs)
    np.testing.assert_allclose(aligner.correlations_, expected.clip(0, 1), rtol=1e-6)


def test_three_modalities_solve_their_eigenproblem(pairs):
    pairs = pairs.assign(c=[a[:4] - b[:4] ** 2 for a, b in zip(pairs["a"], pairs["b"])])
    blocks = [np.stack(pairs[name].to_numpy()) for name in "abc"]
    cov = np.cov(np.hstack(blocks).T)
    within, start = np.zeros_like(cov), 0
    for block in blocks:
        end = start + block.shape[1]
        within[start:end, start:end] = cov[start:end, start:end]
        start = end
    expected = (eigh(cov, within, eigvals_only=True)[::-1][:3] - 1) / 2
    branches = [*NUMBERS, ("c", VectorStacker(), "c")]
    aligner = CanonicalAligner(branches, n_components=3, shrinkage=0).fit(pairs)
    np.testing.assert_allclose(aligner.correlations_, expected.clip(0, 1), rtol=1e-6)
    assert aligner.transform(pairs, modality="c").shape == (len(pairs), 3)


def test_sparse_vectors_score_as_dense_ones():
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue", "dark", "light", "pale", "deep"])
    texts = [" ".join(rng.permutation(words)[:4]) for _ in range(80)]
    numbers = [[float(w in text) + rng.normal(0, 0.1) for w in words] for text in texts]
    X = pd.DataFrame({"text": texts, "numbers": numbers})
    scores = []
    for sparse_output, n_pca_components in ((True, 6), (True, None), (False, 6)):
        text = TextVectorizer(sparse_output=sparse_output)
        aligner = CanonicalAligner(
            [("t", text, "text"), ("n", VectorStacker(), "numbers")],
            n_pca_components=n_pca_components,
        )
        scores.append(aligner.fit(X).score(X))
    assert sparse.issparse(TextVectorizer().fit_transform(texts))
    assert scores[0] == pytest.approx(scores[2], abs=0.05)
    assert min(scores) > 0.5


def test_constant_modalities_are_refused(pairs):
    flat = pairs.assign(b=[np.ones(3)] * len(pairs))
    with pytest.raises(ValueError, match="modality 'b' is the same"):
        CanonicalAligner(NUMBERS).fit(flat)
    branches = [*NUMBERS, ("c", VectorStacker(), "b")]
    with pytest.raises(ValueError, match="takes two modalities"):
        CanonicalAligner(branches, solver="nipals").fit(pairs)


class Tower(nn.Module):
    """One layer, independent of the rest of the batch."""

    def __init__(self, input_shape, dropout=0.0):
        super().__init__()
        self.layer = nn.Linear(input_shape[0], 5)
        self.dropout = nn.Dropout(dropout)
        self.out_features = 5

    def forward(self, x):
        return self.dropout(self.layer(x).tanh())


def compute_gradients(pairs, chunk_size, dropout=0.0, seed=0):
    aligner = ContrastiveAligner(
        NUMBERS,
        backbones={"a": Tower, "b": Tower},
        chunk_size=chunk_size,
        max_epochs=0,
        random_state=0,
        early_stopping=False,
        backbones__a__dropout=dropout,
    ).fit(pairs)
    aligner.optimizer_.zero_grad()
    samples = as_tensors(dict(aligner._check_samples(pairs, reset=False)))
    samples = {
        k: v.float() if v.dtype == torch.float64 else v for k, v in samples.items()
    }
    torch.manual_seed(seed)
    step = aligner.train_step_single((samples, torch.zeros(len(pairs))))
    parts = [*aligner.module_.parameters(), *aligner.criterion_.parameters()]
    return float(step["loss"].detach()), [p.grad for p in parts], torch.rand(1)


@pytest.mark.parametrize("chunk_size", [1, 64, 199])
def test_gradient_caching_gives_the_gradients_of_the_whole_batch(pairs, chunk_size):
    with torch.random.fork_rng():
        loss, gradients, _ = compute_gradients(pairs, None)
        cached_loss, cached, _ = compute_gradients(pairs, chunk_size)
    assert cached_loss == pytest.approx(loss, rel=1e-5)
    for one, other in zip(gradients, cached):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-6)


def test_gradient_caching_drops_the_same_units_twice(pairs):
    with torch.random.fork_rng():
        results = [compute_gradients(pairs, size, dropout=0.5) for size in (64, None)]
        loss, cached, _ = results[0]
        branches = [p.shape for p in cached]
        assert np.isfinite(loss)
        again = compute_gradients(pairs, 64, dropout=0.5)
    assert loss == again[0]
    for one, other in zip(cached, again[1]):
        torch.testing.assert_close(one, other)
    assert torch.equal(results[0][2], again[2])
    assert len(branches) == len(results[1][1])


def test_three_branches_learn_from_the_pairs_that_a_row_has(pairs):
    X = pairs.assign(c=[a[:3] for a in pairs["a"]]).astype(object)
    X.loc[::3, "a"], X.loc[1::3, "b"] = None, None
    aligner = ContrastiveAligner(
        [*NUMBERS, ("c", VectorStacker(), "c")], backbones={**MLPS, "c": TabularMLP}
    )
    aligner.set_params(**QUICK).fit(X)
    complete = pairs.assign(c=[a[:3] for a in pairs["a"]])
    assert aligner.score(complete[:50]) > 0.2  # by chance 0.09


def test_images_and_texts_are_aligned_by_networks():
    rng = np.random.default_rng(0)
    names = ["left", "right", "top", "bottom"]
    images, texts = [], []
    for i in rng.integers(0, 4, 120):
        image = rng.random((8, 8)) * 0.3
        half = {0: np.s_[:, :4], 1: np.s_[:, 4:], 2: np.s_[:4], 3: np.s_[4:]}[i]
        image[half] += 0.6
        images.append((image * 255).astype(np.uint8))
        texts.append(f"{names[i]} half")
    X = pd.DataFrame({"image": images, "text": texts})
    aligner = ContrastiveAligner(
        [
            ("image", ImageLoader((8, 8)), "image"),
            ("text", TextTokenizer(), "text"),
        ],
        backbones={"image": ImageCNN, "text": TextCNN},
        backbones__image__n_filters=4,
        max_epochs=15,
        lr=0.01,
        random_state=0,
    ).fit(X)
    y = X["text"].to_numpy()
    assert aligner.score(X, y) > 0.9  # by chance 0.25
    unknown = aligner.transform(["never seen words", None], modality="text")
    assert np.isfinite(unknown[0]).all()
    assert np.isnan(unknown[1]).all()


def test_a_branch_starts_from_an_encoder_and_another_net_from_the_branch(pairs):
    y = np.arange(len(pairs)) % 2
    stacked = np.stack(pairs["a"].to_numpy())
    encoder = NetEncoder(TabularMLP, max_epochs=1, random_state=1).fit(stacked, y)
    aligner = clone(ALIGNERS["clip"]).set_params(init_from={"a": encoder}, freeze=["a"])
    aligner.fit(pairs)
    own = aligner.module_.backbones["a"].state_dict()
    for name, weight in encoder.module_.backbone.state_dict().items():
        torch.testing.assert_close(own[name], weight)
    net = MultimodalNetClassifier(
        NUMBERS, backbones=MLPS, init_from={"b": aligner}, max_epochs=0, random_state=0
    ).fit(pairs, y)
    torch.testing.assert_close(
        net.module_.backbones["b"].layers[0].weight,
        aligner.module_.backbones["b"].layers[0].weight,
    )


def test_the_temperature_is_fixed_or_learned(pairs):
    fixed = clone(ALIGNERS["clip"]).set_params(temperature=0.5).fit(pairs)
    assert fixed.temperature_ == pytest.approx(0.5)
    learned = clone(ALIGNERS["clip"]).fit(pairs)
    assert learned.temperature_ != pytest.approx(0.07, rel=1e-4)
    with pytest.raises(TypeError, match="unexpected argument 'criterion'"):
        ContrastiveAligner(NUMBERS, backbones=MLPS, criterion=nn.MSELoss)
    with pytest.raises(ValueError, match="temperature"):
        clone(ALIGNERS["clip"]).set_params(temperature="hot").fit(pairs)


def test_sequences_are_embedded_independently_of_the_batch():
    rng = np.random.default_rng(0)
    steps = [rng.standard_normal((5 + i % 4, 2)) for i in range(40)]
    X = pd.DataFrame({"series": steps, "mean": [s.mean(axis=0) for s in steps]})
    pad = FunctionTransformer(lambda column: pad_steps(list(column)))
    aligner = ContrastiveAligner(
        [
            ("series", pad, "series"),
            (
                "mean",
                make_pipeline(VectorStacker(), StandardScaler()),
                "mean",
            ),
        ],
        backbones={"series": SequenceRNN, "mean": TabularMLP},
        **QUICK,
    ).fit(X)
    together = aligner.transform(X, modality="series")
    alone = aligner.transform(X["series"][:1], modality="series")
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)


def pad_steps(cells):
    length = max(map(len, cells))
    padded = np.full((len(cells), length, 2), np.nan, np.float32)
    for row, cell in zip(padded, cells):
        row[: len(cell)] = cell
    return padded
