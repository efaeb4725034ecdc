"""Retrieval and zero-shot classification with aligners of both kinds."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import NearestNeighbors

from sklearn_mm import (
    AbstentionWarning,
    CanonicalAligner,
    ContrastiveAligner,
    CrossModalRetriever,
    TextVectorizer,
    VectorStacker,
    ZeroShotClassifier,
    trusted_types,
)
from sklearn_mm.alignment import FaissNeighbors
from sklearn_mm.nets import TabularMLP

BRANCHES = [("color", VectorStacker(), "color"), ("text", TextVectorizer(), "text")]
LINEAR = CanonicalAligner(BRANCHES)
DENSE = TextVectorizer(sparse_output=False)
NETWORK = ContrastiveAligner(
    [
        ("color", VectorStacker(), "color"),
        ("text", DENSE, "text"),
    ],
    backbones={"color": TabularMLP, "text": TabularMLP},
    max_epochs=60,
    batch_size=64,
    lr=0.01,
    random_state=0,
)
LABELS = {
    "r": ["a dark red one", "a light red one"],
    "g": ["a dark green one", "a light green one"],
    "b": "a light blue one",
}


def make_colors(n_samples=160, seed=0):
    """Make colours as numbers and as texts, and their labels."""
    rng = np.random.default_rng(seed)
    names = rng.integers(0, 3, n_samples)
    tones = rng.integers(0, 2, n_samples)
    color = 0.1 * rng.random((n_samples, 3))
    color[np.arange(n_samples), names] += np.where(tones, 0.9, 0.4)
    words = np.array(["red", "green", "blue"])[names]
    texts = [f"a {('dark', 'light')[t]} {w} one" for t, w in zip(tones, words)]
    return pd.DataFrame({"color": list(color), "text": texts}), np.array(list("rgb"))[
        names
    ]


@pytest.fixture(params=["linear", "network"])
def aligner(request):
    return {"linear": LINEAR, "network": NETWORK}[request.param]


@pytest.fixture(scope="module")
def colors():
    return make_colors()


def test_a_cell_is_found_by_the_other_modality(aligner, colors):
    X, _ = colors
    retriever = CrossModalRetriever(aligner, query="color", target="text").fit(X)
    assert retriever.predict([[0.9, 0, 0], [0, 0.45, 0]]).tolist() == [
        "a light red one",
        "a dark green one",
    ]
    backwards = CrossModalRetriever(retriever.aligner_, query="text", target="color")
    found = backwards.fit(X).predict(["a light blue one", "a dark red one"])
    assert np.argmax(found[0]) == 2
    assert np.argmax(found[1]) == 0


def test_neighbours_are_those_of_a_slow_search(aligner, colors):
    X, _ = colors
    retriever = CrossModalRetriever(aligner, query="text", target="color").fit(X)
    own = retriever.aligner_
    similarity = own.transform(X, "text") @ own.transform(X, "color").T
    distances, indices = retriever.kneighbors(X[:20], 7)
    expected = np.sort(1 - similarity[:20].astype(float), axis=1)[:, :7]
    np.testing.assert_allclose(distances, expected, atol=1e-5)
    picked = np.take_along_axis(1 - similarity[:20], indices, axis=1)
    np.testing.assert_allclose(picked, expected, atol=1e-5)
    assert retriever.kneighbors(X[:2], 999)[0].shape == (2, len(X))
    only = retriever.kneighbors(X[:20], 7, return_distance=False)
    np.testing.assert_array_equal(only, indices)


def test_missing_queries_find_nothing_and_missing_targets_are_not_found(colors):
    X, _ = colors
    gaps = X.copy()
    gaps["color"] = [None if i % 4 == 0 else c for i, c in enumerate(gaps["color"])]
    retriever = CrossModalRetriever(LINEAR, query="text", target="color").fit(gaps)
    distances, indices = retriever.kneighbors(["a dark red one", None], 60)
    assert not np.isin(indices[0], np.arange(0, len(X), 4)).any()
    assert (indices[1] == -1).all()
    assert np.isnan(distances[1]).all()
    best, nothing = retriever.predict(["a dark red one", None])
    assert nothing is None
    assert best is gaps["color"][indices[0, 0]]
    with pytest.raises(ValueError, match="missing from every row"):
        CrossModalRetriever(retriever.aligner_, query="text", target="color").fit(
            gaps[::4]
        )


def test_a_fitted_aligner_is_used_as_is(aligner, colors):
    X, _ = colors
    fitted = clone(aligner).fit(X)
    retriever = CrossModalRetriever(fitted, query="text", target="color").fit(X[:10])
    assert retriever.aligner_ is fitted
    column = CrossModalRetriever(fitted, query="text", target="color").fit(
        X["color"][:10]
    )
    np.testing.assert_array_equal(
        column.kneighbors(X[:5], 3)[1], retriever.kneighbors(X[:5], 3)[1]
    )
    frozen = CrossModalRetriever(FrozenEstimator(fitted), query="text", target="color")
    again = clone(frozen).fit(X[:10])
    np.testing.assert_array_equal(
        again.kneighbors(X[:5], 3)[1], retriever.kneighbors(X[:5], 3)[1]
    )
    assert not hasattr(aligner, "n_features_in_")
    with pytest.raises(NotFittedError):
        CrossModalRetriever(aligner, query="text", target="color").predict(X)


def test_targets_are_rows_of_arrays_and_tuples_of_frames():
    rng = np.random.default_rng(0)
    table = rng.random((50, 6))
    table[:, 3:] += 2 * table[:, :3]
    aligner = CanonicalAligner(
        [("a", "passthrough", slice(0, 3)), ("b", "passthrough", slice(3, 6))]
    )
    retriever = CrossModalRetriever(aligner, query="a", target="b").fit(table)
    found = retriever.predict(np.vstack([table[:2], [np.nan] * 6]))
    assert found.shape == (3, 3)
    assert np.isnan(found[2]).all()
    index = retriever.kneighbors(table[:1], 1)[1][0, 0]
    np.testing.assert_array_equal(found[0], table[index, 3:])
    frame = pd.DataFrame(table, columns=list("abcdef"))
    aligner = CanonicalAligner(
        [("a", "passthrough", list("abc")), ("b", "passthrough", list("def"))]
    )
    retriever = CrossModalRetriever(aligner, query="a", target="b").fit(frame)
    found = retriever.predict(frame[:1])
    assert found[0] == tuple(table[index, 3:])


def test_any_neighbours_estimator_searches(colors):
    X, _ = colors
    exact = CrossModalRetriever(LINEAR, query="text", target="color").fit(X)
    expected = exact.kneighbors(X[:20], 3)
    neighbors = NearestNeighbors(metric="cosine", algorithm="brute")
    retriever = clone(exact).set_params(neighbors=neighbors).fit(X)
    assert not hasattr(neighbors, "n_features_in_")
    assert isinstance(retriever.neighbors_, NearestNeighbors)
    distances, _ = retriever.kneighbors(X[:20], 3)
    np.testing.assert_allclose(distances, expected[0], atol=1e-5)
    tuned = clone(retriever).set_params(neighbors__metric="euclidean").fit(X)
    distances, _ = tuned.kneighbors(X[:20], 3)
    np.testing.assert_allclose(distances**2 / 2, expected[0], atol=1e-5)
    with pytest.raises(ValueError, match="'neighbors' parameter"):
        clone(exact).set_params(neighbors="hnsw").fit(X)


class Lazy(NearestNeighbors):
    """Finds the first neighbour only."""

    def kneighbors(self, X, n_neighbors):
        distances, indices = super().kneighbors(X, n_neighbors)
        indices[:, 1:] = -1
        return distances, indices


def test_neighbours_that_were_not_found_are_not_the_last_target(colors):
    X, _ = colors
    retriever = CrossModalRetriever(
        LINEAR, query="text", target="color", neighbors=Lazy()
    ).fit(X)
    assert retriever.predict(X[:3]).shape == (3,)
    with pytest.raises(ValueError, match="Lazy found fewer than 2 neighbours"):
        retriever.kneighbors(X[:3], 2)


@pytest.mark.parametrize("neighbors", [None, FaissNeighbors()])
def test_another_process_finds_the_same(neighbors, colors, tmp_path):
    if neighbors is not None:
        pytest.importorskip("faiss")
    X, _ = colors
    retriever = CrossModalRetriever(
        LINEAR, query="text", target="color", neighbors=neighbors
    ).fit(X)
    assert retriever.predict(["a dark blue one"])[0].argmax() == 2
    zero_shot = ZeroShotClassifier(retriever.aligner_, LABELS).fit()
    file = str(tmp_path / "models.joblib")
    joblib.dump((retriever, zero_shot, X), file)
    code = (
        "import joblib, sys; r, z, X = joblib.load(sys.argv[1]);"
        "joblib.dump((r.kneighbors(X)[1], z.predict(X)), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    found, predicted = joblib.load(file)
    np.testing.assert_array_equal(found, retriever.kneighbors(X)[1])
    np.testing.assert_array_equal(predicted, zero_shot.predict(X))


def test_skops_loads_a_graph_as_an_unchecked_type(colors):
    pytest.importorskip("faiss")
    sio = pytest.importorskip("skops.io")
    X, _ = colors
    retriever = CrossModalRetriever(
        LINEAR, query="text", target="color", neighbors=FaissNeighbors()
    ).fit(X)
    data = sio.dumps(retriever)
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException, match="Faiss"):
        sio.loads(data, trusted=trusted_types())
    again = sio.loads(data, trusted=trusted_types(unchecked=True))
    np.testing.assert_array_equal(again.kneighbors(X)[1], retriever.kneighbors(X)[1])


def test_faiss_that_is_not_installed_is_named(colors, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    retriever = CrossModalRetriever(
        LINEAR, query="text", target="color", neighbors=FaissNeighbors()
    )
    with pytest.raises(ImportError, match=r"pip install 'sklearn_mm\[faiss\]'"):
        retriever.fit(colors[0])


@pytest.mark.parametrize("was_fitted", [False, True])
def test_a_fit_that_fails_leaves_a_model_that_is_not_fitted(colors, was_fitted):
    X, y = colors
    fitted = clone(LINEAR).fit(X)
    retriever = CrossModalRetriever(fitted, query="text", target="color")
    classifier = ZeroShotClassifier(fitted, LABELS)
    if was_fitted:
        retriever.fit(X).predict(X)
        classifier.fit(X).predict(X)
    with pytest.raises(ValueError, match="missing from every row"):
        retriever.fit([None, None])
    with pytest.raises(ValueError, match="'r' is missing"):
        classifier.set_params(labels={**LABELS, "r": None}).fit(X)
    for model in (retriever, classifier):
        with pytest.raises(NotFittedError):
            model.predict(X)


def test_retrievers_are_scored_and_tuned(aligner, colors):
    X, y = colors
    retriever = CrossModalRetriever(aligner, query="text", target="color")
    scores = cross_val_score(retriever, X, y, cv=2)
    assert scores.mean() > 0.7  # by chance 0.33
    is_linear = isinstance(aligner, CanonicalAligner)
    name = f"aligner__{'n_components' if is_linear else 'embedding_dim'}"
    search = GridSearchCV(retriever, {name: [1, 8]}, cv=2, n_jobs=2).fit(X, y)
    assert search.best_params_ == {name: 8}
    with pytest.raises(ValueError, match="query must be one of"):
        CrossModalRetriever(aligner, query="sound", target="color").fit(X)


def test_described_classes_are_predicted_without_labels(aligner, colors):
    X, y = colors
    new, truth = make_colors(60, seed=1)
    classifier = ZeroShotClassifier(aligner, LABELS).fit(X)
    assert classifier.classes_.tolist() == ["b", "g", "r"]
    assert classifier.score(new, truth) > 0.9
    assert classifier.score(new["color"], truth) > 0.9
    proba = classifier.predict_proba(new)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    scores = cross_val_score(ZeroShotClassifier(aligner, LABELS), X, y, cv=2)
    assert scores.mean() > 0.9


def test_probabilities_are_a_softmax_of_similarities(colors):
    X, _ = colors
    own = LINEAR.fit(X)
    places = [own.transform(["red"], "text"), own.transform(["green"], "text")]
    similarity = own.transform(X, "color") @ np.vstack(places).T
    expected = np.exp(similarity / 0.5)
    expected /= expected.sum(axis=1, keepdims=True)
    labels = {1: "red", 2: "green"}
    classifier = ZeroShotClassifier(own, labels, temperature=0.5).fit()
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=1e-4)
    learned = NETWORK.fit(X)
    sharp = ZeroShotClassifier(learned, labels).fit().predict_proba(X)
    given = ZeroShotClassifier(learned, labels, temperature=learned.temperature_)
    np.testing.assert_allclose(given.fit().predict_proba(X), sharp)


def test_rows_without_a_query_get_equal_probabilities(colors):
    X, _ = colors
    classifier = ZeroShotClassifier(LINEAR, LABELS).fit(X)
    with pytest.warns(AbstentionWarning, match="1 of 2 rows"):
        proba = classifier.predict_proba([X["color"][0], None])
    np.testing.assert_allclose(proba[1], 1 / 3)
    assert proba[0].max() > 0.4


def test_invalid_labels_are_refused(colors):
    X, y = colors
    with pytest.raises(ValueError, match="two classes"):
        ZeroShotClassifier(LINEAR, {"r": "red"}).fit(X)
    with pytest.raises(ValueError, match=r"\['b'\], which labels lacks"):
        ZeroShotClassifier(LINEAR, {"r": "red", "g": "green"}).fit(X, y)
    with pytest.raises(ValueError, match="'r' is missing"):
        ZeroShotClassifier(LINEAR, {"r": None, "g": "green"}).fit(X)
    with pytest.raises(ValueError, match="among the aligner's modalities"):
        ZeroShotClassifier(LINEAR, LABELS, target="words").fit(X)
