"""The pictures show the numbers and cells that they were given."""

import sys

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import Bunch

from sklearn_mm import (
    CanonicalAligner,
    CrossModalRetriever,
    MultimodalStackingClassifier,
    MultimodalVotingClassifier,
    MultimodalVotingRegressor,
    NetClassifier,
    TextVectorizer,
    VectorStacker,
)
from sklearn_mm.inspection import (
    EmbeddingDisplay,
    FusionWeightsDisplay,
    MissingModalityDisplay,
    ModalityAgreementDisplay,
    ModalityImportanceDisplay,
    RetrievalDisplay,
    TrainingHistoryDisplay,
)
from sklearn_mm.nets import TabularMLP

from ..conftest import (
    encode_audio,
    encode_image,
    encode_video,
    make_clip,
    make_photo,
    make_tone,
)

HISTORY = [
    {"epoch": 1, "train_loss": 2.0, "valid_loss": 1.5, "valid_acc": 0.5, "dur": 0.1},
    {"epoch": 2, "train_loss": 1.0, "valid_loss": 1.2, "valid_acc": 0.7, "dur": 0.1},
    {"epoch": 3, "train_loss": 0.5, "valid_loss": 1.4, "valid_acc": 0.6, "dur": 0.1},
]
REPORT = pd.DataFrame(
    {
        "modality": ["image"] * 4 + ["audio"] * 4,
        "disturbance": ["missing", "missing", "missing", "noise"] * 2,
        "strength": [0.5, 0.0, 0.5, 0.9, 0.5, 0.0, 0.5, 0.9],
        "score": [0.6, 0.9, 0.8, 0.1, 0.3, 0.9, 0.5, 0.1],
        "loss": 0.0,
    }
)
POINTS = np.random.default_rng(0).normal(size=(30, 2))
#: One of each kind.
DISPLAYS = {
    "importance": ModalityImportanceDisplay([0.3, 0.5], ["image", "audio"]),
    "missing": MissingModalityDisplay(REPORT),
    "agreement": ModalityAgreementDisplay([[1, 0.2], [0.2, 1]], ["image", "audio"]),
    "weights": FusionWeightsDisplay([[0.3, 0.7], [0.5, 0.5]], ["image", "audio"]),
    "history": TrainingHistoryDisplay(HISTORY, metrics=["train_loss", "valid_acc"]),
    "embedding": EmbeddingDisplay(
        POINTS, cells=["a", "b", "c"] * 10, labels=np.arange(30) % 3
    ),
    "retrieval": RetrievalDisplay(["one"], [["two", "three"]], right=[[True, False]]),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def list_artists(ax):
    """Say what axes hold: kinds and numbers of artists, and texts."""
    inner = [list_artists(child) for child in ax.child_axes]
    return sorted(str(type(child)) for child in ax.get_children()), inner


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_display_draws_on_the_axes_it_is_given(name):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5))
    display = DISPLAYS[name].plot(right)
    assert display is DISPLAYS[name]
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_second_plot_is_a_figure_of_its_own_with_the_same_in_it(name):
    first = DISPLAYS[name].plot().ax_
    second = DISPLAYS[name].plot().ax_
    assert first.figure is not second.figure
    assert list_artists(first) == list_artists(second)


@pytest.mark.parametrize("name", DISPLAYS)
def test_everything_drawn_lies_within_the_figure(name):
    figure = DISPLAYS[name].plot().figure_
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()  # in inches
    width, height = figure.get_size_inches()
    assert drawn.x0 > -0.01
    assert drawn.y0 > -0.01
    assert drawn.x1 < width + 0.01
    assert drawn.y1 < height + 0.01


@pytest.mark.parametrize("name", DISPLAYS)
def test_without_matplotlib_the_error_says_how_to_install_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn_mm\[plot\]'"):
        DISPLAYS[name].plot()


# Importances.


def test_importances_are_the_bars_and_the_largest_is_on_top():
    result = Bunch(
        importances_mean=np.array([0.1, 0.5, -0.2]),
        standard_errors=np.array([0.01, 0.02, 0.03]),
        modalities=["text", "image", "audio"],
        method="shapley",
        scores={"all": 0.9, "none": 0.1},
        scoring="accuracy",
    )
    display = ModalityImportanceDisplay.from_importances(result)
    np.testing.assert_allclose([b.get_width() for b in display.bars_], [0.1, 0.5, -0.2])
    heights = display.ax_.transData.transform([b.get_xy() for b in display.bars_])[:, 1]
    assert list(np.argsort(-heights)) == [1, 0, 2]
    (spans,) = display.bars_.errorbar.lines[2]
    spread = [np.ptp(segment[:, 0]) / 2 for segment in spans.get_segments()]
    np.testing.assert_allclose(spread, [0.01, 0.02, 0.03])
    assert display.ax_.get_title("left") == "Accuracy: 0.900 with all, 0.100 with none"
    assert display.ax_.get_xlabel() == "Shapley value of the accuracy"
    places = dict(zip(display.ax_.get_yticks(), display.ax_.get_yticklabels()))
    for bar, name in zip(display.bars_, result.modalities):
        center = bar.get_y() + bar.get_height() / 2
        assert places[round(center)].get_text() == name


# Missing modalities.


def test_scores_of_missing_modalities_are_lines_by_share():
    display = MissingModalityDisplay(REPORT, scoring="neg_log_loss").plot()
    assert list(display.lines_) == ["image", "audio"]
    for name, scores in {"image": [0.9, 0.7], "audio": [0.9, 0.4]}.items():
        line = display.lines_[name]
        np.testing.assert_allclose(line.get_xdata(), [0, 0.5])
        np.testing.assert_allclose(line.get_ydata(), scores)
    assert display.ax_.get_ylabel() == "Log loss"


def test_a_report_without_missing_cells_is_refused():
    report = REPORT[REPORT["disturbance"] == "noise"]
    with pytest.raises(ValueError, match=r"no disturbance 'missing', only \['noise'\]"):
        MissingModalityDisplay(report).plot()


# Agreement.


@pytest.fixture(scope="module")
def flowers():
    X, y = load_iris(return_X_y=True, as_frame=True)
    X.columns = ["a", "b", "c", "d"]
    X.loc[::5, ["a", "b"]] = np.nan
    return X, y.to_numpy()


MEMBERS = [
    ("sepal", LogisticRegression(C=0.1), ["a", "b"]),
    ("petal", make_pipeline(StandardScaler(), LogisticRegression()), ["c", "d"]),
    ("none", "drop", ["c"]),
]


@pytest.mark.parametrize(
    "fusion",
    [
        MultimodalVotingClassifier(MEMBERS),
        MultimodalVotingClassifier(MEMBERS, voting="hard"),
        MultimodalStackingClassifier(MEMBERS),
        make_pipeline(FunctionTransformer(), MultimodalVotingClassifier(MEMBERS)),
        GridSearchCV(MultimodalVotingClassifier(MEMBERS), {"voting": ["product"]}),
    ],
    ids=["soft", "hard", "stacking", "pipeline", "search"],
)
def test_agreement_of_classifiers_is_the_share_of_equal_answers(fusion, flowers):
    X, y = flowers
    fusion.fit(X, y)
    display = ModalityAgreementDisplay.from_estimator(fusion, X, y)
    assert display.names == ["sepal", "petal", "fused", "true"]
    there = X["a"].notna().to_numpy()
    sepal = LogisticRegression(C=0.1).fit(X.loc[there, ["a", "b"]], y[there])
    petal = MEMBERS[1][1].fit(X[["c", "d"]], y)
    told = petal.predict(X[["c", "d"]])
    expected = accuracy_score(sepal.predict(X.loc[there, ["a", "b"]]), told[there])
    np.testing.assert_allclose(display.agreement[0, 1], expected)
    np.testing.assert_allclose(display.agreement[1, 3], accuracy_score(y, told))
    np.testing.assert_allclose(
        display.agreement[2, 3], accuracy_score(y, fusion.predict(X))
    )
    np.testing.assert_allclose(display.agreement, display.agreement.T)


def test_agreement_of_regressors_is_their_correlation(flowers):
    X, _ = flowers
    target = X["d"]
    columns = {"left": ["c"], "right": ["a", "b"]}
    fusion = MultimodalVotingRegressor(
        [(name, LinearRegression(), own) for name, own in columns.items()]
    ).fit(X[["a", "b", "c"]], target)
    display = ModalityAgreementDisplay.from_estimator(fusion, X[["a", "b", "c"]])
    answers = pd.DataFrame(
        fusion.transform(X[["a", "b", "c"]]), columns=["left", "right"]
    )
    answers["fused"] = fusion.predict(X[["a", "b", "c"]])
    np.testing.assert_allclose(display.agreement, answers.corr())
    assert display.image_.norm.vmin == -1


def test_agreement_is_written_into_its_cells():
    told = {"a": ["x", "y", None], "b": ["x", "x", "y"], "c": [None, None, np.nan]}
    display = ModalityAgreementDisplay.from_predictions(told)
    texts = [[text.get_text() for text in row] for row in display.text_]
    assert texts == [
        ["1.00", "0.50", "none"],
        ["0.50", "1.00", "none"],
        ["none", "none", "none"],
    ]
    np.testing.assert_array_equal(display.image_.get_array(), display.agreement)
    dark, light = (display.text_[i].get_color() for i in [(0, 0), (0, 1)])
    assert (dark, light) == ("white", "black")


def test_predictions_that_cannot_be_compared_are_refused(flowers):
    X, y = flowers
    from_predictions = ModalityAgreementDisplay.from_predictions
    with pytest.raises(ValueError, match=r"same rows, got \{'a': 2, 'b': 1\}"):
        from_predictions({"a": [1, 2], "b": [1]})
    with pytest.raises(ValueError, match="one for each row"):
        from_predictions({"a": np.ones((3, 2))})
    with pytest.raises(ValueError, match="measure must be"):
        from_predictions({"a": [1]}, measure="kappa")
    model = LogisticRegression().fit(X[["c"]], y)
    with pytest.raises(TypeError, match="no model for each modality"):
        ModalityAgreementDisplay.from_estimator(model, X[["c"]])


# Weights.


def test_weights_of_a_vote_are_the_bars(flowers):
    fusion = MultimodalVotingClassifier(MEMBERS, weights=[1, 3, 0]).fit(*flowers)
    display = FusionWeightsDisplay.from_estimator(make_pipeline(fusion))
    assert list(display.modalities) == ["sepal", "petal"]
    np.testing.assert_allclose([b.get_width() for b in display.bars_], [0.25, 0.75])
    assert display.points_ is None
    assert display.ax_.get_xlabel() == "Weight"


@pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
def test_weights_of_several_votes_have_a_spread(flowers):
    fusion = MultimodalVotingClassifier(MEMBERS, weights="learned", cv=3)
    fitted = cross_validate(fusion, *flowers, cv=3, return_estimator=True)["estimator"]
    display = FusionWeightsDisplay.from_estimator(fitted)
    weights = np.array([vote.weights_ for vote in fitted])
    np.testing.assert_allclose(
        [bar.get_width() for bar in display.bars_], weights.mean(axis=0)
    )
    (spans,) = display.bars_.errorbar.lines[2]
    spread = [np.ptp(segment[:, 0]) / 2 for segment in spans.get_segments()]
    np.testing.assert_allclose(spread, np.std(weights, axis=0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(display.points_.get_offsets()[:, 0], weights.ravel())
    assert display.ax_.get_xlabel() == "Learned weight"


@pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
def test_a_guarded_vote_says_who_decides(flowers):
    fusion = MultimodalVotingClassifier(MEMBERS, guard=True, cv=3).fit(*flowers)
    assert fusion.guarded_ == "petal"
    display = FusionWeightsDisplay.from_estimator(fusion)
    assert display.ax_.get_title("left").startswith("Guarded: petal decides")


def test_an_estimator_without_weights_is_refused(flowers):
    fusion = MultimodalStackingClassifier(MEMBERS, cv=3).fit(*flowers)
    with pytest.raises(TypeError, match="MultimodalStackingClassifier has no weights_"):
        FusionWeightsDisplay.from_estimator(fusion)


# Training.


def test_losses_are_lines_by_epoch_and_the_best_epoch_is_marked():
    display = TrainingHistoryDisplay(HISTORY).plot()
    assert list(display.lines_) == ["train_loss", "valid_loss"]
    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(line.get_ydata(), [e[name] for e in HISTORY])
    assert display.best_epoch_ == 2
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["train_loss", "valid_loss", "best epoch (2)"]
    assert display.right_ax_ is None


def test_what_is_no_loss_has_a_scale_of_its_own():
    names = ["valid_loss", "valid_acc"]
    display = TrainingHistoryDisplay(HISTORY, metrics=names).plot()
    assert display.lines_["valid_acc"].axes is display.right_ax_
    assert display.lines_["valid_loss"].axes is display.ax_
    alone = TrainingHistoryDisplay(HISTORY, metrics=["valid_acc"]).plot()
    assert alone.right_ax_ is None
    assert alone.ax_.get_ylabel() == "valid_acc"
    with pytest.raises(ValueError, match=r"no \['f1'\]; it has \['train_loss'"):
        TrainingHistoryDisplay(HISTORY, metrics=["f1"]).plot()


@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_history_of_a_net_is_found_at_a_pipelines_end(early_stopping, flowers):
    X, y = flowers[0][["c", "d"]].to_numpy(np.float32), flowers[1]
    net = NetClassifier(
        TabularMLP, max_epochs=4, random_state=0, early_stopping=early_stopping
    )
    model = make_pipeline(StandardScaler(), net).fit(X, y)
    display = TrainingHistoryDisplay.from_estimator(model)
    history = model[-1].history_
    np.testing.assert_allclose(
        display.lines_["train_loss"].get_ydata(), history[:, "train_loss"]
    )
    if early_stopping:
        assert display.best_epoch_ == 1 + np.argmin(history[:, "valid_loss"])
    else:
        assert display.best_epoch_ is None


def test_a_net_that_was_not_trained_is_refused():
    with pytest.raises(TypeError, match="NetClassifier has no history_"):
        TrainingHistoryDisplay.from_estimator(NetClassifier(TabularMLP))


# Embeddings.


@pytest.fixture(scope="module")
def digits():
    pixels, y = load_digits(return_X_y=True)
    return pixels[:200], y[:200]


def test_dots_lie_where_pca_puts_them(digits):
    pixels, y = digits
    pixels = pixels.copy()
    pixels[3, 5] = np.nan
    display = EmbeddingDisplay.from_embeddings(pixels, labels=y)
    rows = np.delete(np.arange(200), 3)
    expected = PCA(2, random_state=0).fit_transform(pixels[rows])
    np.testing.assert_allclose(display.points_.get_offsets(), expected)
    assert np.isnan(display.embedding[3]).all()
    colors = display.points_.get_facecolor()
    for digit in range(10):
        assert len(np.unique(colors[y[rows] == digit], axis=0)) == 1
    assert len(np.unique(colors, axis=0)) == 10
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [str(digit) for digit in range(10)]


def test_pictures_lie_at_their_rows_places_and_cover_one_another_nowhere(digits):
    pixels, y = digits
    images = [p.reshape(8, 8) / 16 for p in pixels]
    images[0] = None
    display = EmbeddingDisplay.from_embeddings(pixels, cells=images, labels=y)
    assert len(display.shown_) == len(display.thumbnails_) > 20
    assert 0 not in display.shown_
    assert len(display.points_.get_offsets()) == 200 - len(display.shown_)
    display.figure_.draw_without_rendering()
    boxes = []
    for row, thumbnail in zip(display.shown_, display.thumbnails_):
        np.testing.assert_array_equal(thumbnail.xy, display.embedding[row])
        drawn = thumbnail.offsetbox.get_data()
        np.testing.assert_allclose(drawn[..., 0], images[row], atol=1e-6)
        boxes.append(thumbnail.get_window_extent())
    frame = display.ax_.get_window_extent()
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert frame.x0 < box.x0 < box.x1 < frame.x1
        assert frame.y0 < box.y0 < box.y1 < frame.y1


@pytest.mark.parametrize("fitted", [True, False])
def test_a_transformer_given_makes_the_map(fitted, digits):
    pixels, _ = digits
    transformer = PCA(2, whiten=True)
    expected = PCA(2, whiten=True).fit_transform(pixels)
    if fitted:
        transformer.fit(pixels)
    display = EmbeddingDisplay.from_embeddings(pixels, transformer=transformer)
    np.testing.assert_allclose(display.embedding, expected, atol=1e-8)
    assert hasattr(transformer, "components_") == fitted


def test_texts_are_written_and_sparse_vectors_reduced():
    texts = ["a $5 red", "a green one that goes on and on and on", None, "blue"]
    encoder = TextVectorizer().fit(texts)
    display = EmbeddingDisplay.from_estimator(encoder, texts, cells=texts)
    assert set(display.shown_) <= {0, 1, 3}
    assert len(display.shown_) > 1
    assert np.isnan(display.embedding[2]).all()
    for row, thumbnail in zip(display.shown_, display.thumbnails_):
        written = thumbnail.offsetbox.get_text().removesuffix("…")
        assert texts[row].startswith(written)
        assert len(written) > 3
    sparse = csr_array(np.array([[1.0, 0, 2], [0, 0, 1], [np.nan, 0, 0], [0, 3, 0]]))
    embedding = EmbeddingDisplay.from_embeddings(sparse).embedding
    assert list(np.isnan(embedding).any(axis=1)) == [False, False, True, False]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["b", "a", None], ["a", "b"]),
        (["b", np.nan, "a"], ["a", "b"]),
        ([2, "a", None], ["2", "a"]),
        ([2.0, np.nan, 1.0], ["1.0", "2.0"]),
        ([(1, 2), None, (0, 3)], ["(0, 3)", "(1, 2)"]),
        (pd.array([20, 3, pd.NA], dtype="Int64"), ["3", "20"]),
        (pd.Categorical(["b", None, "a"]), ["a", "b"]),
        (pl.Series(["b", None, "a"]), ["a", "b"]),
    ],
)
def test_missing_labels_are_grey_and_the_others_in_order(labels, names):
    display = EmbeddingDisplay(POINTS[:3], labels=labels).plot()
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [*names, "missing"]
    missing = np.flatnonzero(pd.Series(list(labels), dtype=object).isna())
    colors = display.points_.get_facecolors()[:, :3]
    grey = (colors == 0.5).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(grey), missing)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        EmbeddingDisplay(POINTS, labels=labels).plot()


def test_numbers_as_labels_are_a_scale_of_colours():
    numbers = np.linspace(0, 1, 30)
    display = EmbeddingDisplay(POINTS, labels=numbers).plot()
    expected = matplotlib.colormaps["viridis"](numbers)
    np.testing.assert_allclose(display.points_.get_facecolor()[:, :3], expected[:, :3])
    assert display.ax_.get_legend() is None


def test_sequences_are_drawn_as_small_curves_on_a_map():
    rising = [np.arange(5.0 + i) for i in range(30)]
    display = EmbeddingDisplay(POINTS, cells=rising).plot()
    assert len(display.shown_) > 5
    for thumbnail in display.thumbnails_:
        opaque = thumbnail.offsetbox.get_data()[..., 3] > 100
        rows, columns = np.nonzero(opaque)
        assert np.corrcoef(rows, columns)[0, 1] < -0.95  # upwards, from left to right


# Retrieval.


@pytest.fixture(scope="module")
def colors():
    rng = np.random.default_rng(0)
    names = ["light red", "light green", "dark red", "dark green"] * 5
    vectors = [
        np.array([0.5 * ("red" in n), 0.5 * ("green" in n), 0.4 * ("light" in n)])
        + 0.02 * rng.random(3)
        for n in names
    ]
    X = pd.DataFrame({"color": vectors, "name": names})
    aligner = CanonicalAligner(
        [("color", VectorStacker(), "color"), ("name", TextVectorizer(), "name")]
    )
    return CrossModalRetriever(aligner, query="color", target="name").fit(X), X


def test_a_row_shows_a_query_and_what_the_retriever_finds(colors):
    retriever, X = colors
    display = RetrievalDisplay.from_estimator(retriever, X.iloc[:2], n_neighbors=3)
    found = retriever.kneighbors(X.iloc[:2], 3, return_distance=False)
    assert display.axes_.shape == (2, 4)
    for row in range(2):
        (line,) = display.artists_[row, 0]
        np.testing.assert_allclose(line.get_ydata(), X["color"][row])
        for column in range(3):
            text = display.artists_[row, 1 + column].get_text().replace("\n", " ")
            assert text == X["name"][found[row, column]]


def frames(display):
    """Whether each answer's frame is green."""
    green = matplotlib.colors.to_rgba("#2ca02c")
    return [
        [ax.spines["left"].get_edgecolor() == green for ax in row[1:]]
        for row in display.axes_
    ]


def test_right_answers_are_framed_green(colors):
    retriever, X = colors
    queries = [X["color"][0], X["color"][3], None]
    found = retriever.kneighbors(queries, 8, return_distance=False)
    names = X["name"].to_numpy()
    expected = (names[found] == np.array(["light red", "dark green", "?"])[:, None]) & (
        found >= 0
    )
    assert 0 < expected.sum() < expected[:2].size
    relevant = np.array([names == names[0], names == names[3], names == names[0]])
    for given in (
        {"query_labels": [names[0], names[3], names[0]], "target_labels": names},
        {"relevant": relevant},
    ):
        display = RetrievalDisplay.from_estimator(
            retriever, queries, n_neighbors=8, **given
        )
        assert frames(display) == expected.tolist()
    without = RetrievalDisplay.from_estimator(
        retriever, queries, n_neighbors=8, query_labels=[None] * 3, target_labels=names
    )
    assert not np.any(frames(without))
    both = RetrievalDisplay.from_estimator(
        retriever,
        queries,
        n_neighbors=8,
        query_labels=[None] * 3,
        target_labels=[None] * len(names),
    )
    assert not np.any(frames(both))
    assert display.artists_[2, 0].get_text() == "missing"
    assert display.artists_[2, 1].get_text() == "missing"
    found = retriever.kneighbors(queries[:2], 2, return_distance=False)
    single = RetrievalDisplay.from_estimator(
        retriever, queries[:2], relevant=[found[0, 1], found[1, 0]], n_neighbors=2
    )
    assert frames(single) == [[False, True], [True, False]]


def test_other_cells_can_be_drawn_for_the_targets(colors):
    retriever, X = colors
    photos = [make_photo(12, 16, seed) for seed in range(len(X))]
    display = RetrievalDisplay.from_estimator(
        retriever, X["color"].iloc[:1], photos, n_neighbors=2
    )
    found = retriever.kneighbors(X["color"].iloc[:1], 2, return_distance=False)[0]
    for column, row in enumerate(found, start=1):
        drawn = display.artists_[0, column].get_array()
        np.testing.assert_allclose(drawn, photos[row] / 255, atol=1e-6)


PHOTO = make_photo(40, 60)


@pytest.mark.parametrize(
    "cell",
    [
        PHOTO,
        PHOTO / np.float32(255),
        PHOTO[..., 0] * (PHOTO[..., 1] > 99),
        encode_image(PHOTO),
    ],
    ids=["array", "float", "gray", "file"],
)
def test_images_are_drawn_as_they_are(cell):
    display = RetrievalDisplay([cell], [[cell]], query_modality="image").plot()
    drawn = display.artists_[0, 0].get_array()
    pixels = PHOTO if not isinstance(cell, np.ndarray) else cell
    expected = pixels / (1 if pixels.dtype.kind == "f" else 255)
    expected = expected if expected.ndim == 3 else np.stack([expected] * 3, axis=-1)
    np.testing.assert_allclose(drawn, expected, atol=1e-6)


def test_a_spectrogram_has_time_to_the_right_and_low_frequencies_below():
    time = np.arange(8000) / 8000
    low_then_high = np.sin(2 * np.pi * np.where(time < 0.5, 300, 3000) * time)
    for cell in (
        (low_then_high.astype(np.float32), 8000),
        encode_audio(low_then_high * 0.5),
    ):
        display = RetrievalDisplay([cell], [["x"]], query_modality="audio").plot()
        brightness = display.artists_[0, 0].get_array()
        height, width = brightness.shape
        first = brightness[:, : width // 3].mean(axis=1).argmax() / height
        last = brightness[:, -width // 3 :].mean(axis=1).argmax() / height
        assert first > 0.6
        assert last < 0.3


def test_a_video_is_drawn_by_the_frame_in_its_middle():
    clip = make_clip(20)
    display = RetrievalDisplay([encode_video(clip)], [["x"]]).plot()
    drawn = display.artists_[0, 0].get_array().mean(axis=(0, 1))
    middle = clip[9:12].mean(axis=(0, 1, 2)) / 255
    np.testing.assert_allclose(drawn, middle, atol=0.05)


def test_cells_that_cannot_be_read_are_named_so_and_texts_are_cut():
    text = "a sentence that goes on " * 40
    sounds = [make_tone(), b"no sound"]
    display = RetrievalDisplay(
        sounds,
        [[text, "$x$"], ["averyveryveryverylongword" * 3, "b"]],
        query_modality="audio",
        target_modality="text",
    ).plot()
    assert display.artists_[1, 0].get_text() == "not readable"
    written = display.artists_[0, 1].get_text()
    assert written.endswith("…")
    assert text.startswith(written.replace("\n", " ").removesuffix(" …"))
    assert display.artists_[0, 2].get_text() == "$x$"
    for row, column in np.ndindex(2, 2):
        box = display.axes_[row, 1 + column].get_window_extent()
        extent = display.artists_[row, 1 + column].get_window_extent()
        assert box.x0 <= extent.x0 < extent.x1 <= box.x1
        assert box.y0 <= extent.y0 < extent.y1 <= box.y1


def test_unknown_modalities_are_refused():
    with pytest.raises(ValueError, match="can be drawn as one of"):
        RetrievalDisplay(["a"], [["b"]], query_modality="smell").plot()


# From estimators.


def test_importances_of_an_estimator_are_computed_and_drawn(flowers):
    pytest.importorskip("sklearn_mm.inspection._importance")
    from sklearn_mm.inspection import modality_importance

    fusion = MultimodalVotingClassifier(MEMBERS[:2]).fit(*flowers)
    display = ModalityImportanceDisplay.from_estimator(
        fusion, *flowers, n_repeats=2, random_state=0
    )
    expected = modality_importance(fusion, *flowers, n_repeats=2, random_state=0)
    np.testing.assert_allclose(
        [bar.get_width() for bar in display.bars_], expected.importances_mean
    )


def test_scores_of_missing_modalities_are_computed_and_drawn(flowers):
    pytest.importorskip("sklearn_mm.inspection._robustness")
    fusion = MultimodalVotingClassifier(MEMBERS[:2]).fit(*flowers)
    display = MissingModalityDisplay.from_estimator(
        fusion, *flowers, shares=(0, 0.5), random_state=0
    )
    assert set(display.lines_) == {"sepal", "petal"}
    for line in display.lines_.values():
        np.testing.assert_allclose(line.get_xdata(), [0, 0.5])
        assert line.get_ydata()[0] == pytest.approx(fusion.score(*flowers))
