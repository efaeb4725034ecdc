"""A modality of the user's own is disturbed and drawn, with no edit to the package."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_mm import Modality, MultimodalVotingClassifier
from sklearn_mm.inspection import (
    EmbeddingDisplay,
    RetrievalDisplay,
    explain,
    make_robustness_scorer,
    robustness_report,
)
from sklearn_mm.inspection._declared import find_declared
from sklearn_mm.modalities import get_modality

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_mm.exceptions.AbstentionWarning"
)


def make_encoder():
    return CountVectorizer(analyzer="char", ngram_range=(2, 2))


def mutate(cell, strength, generator):
    bases = np.array(list(cell))
    chosen = generator.random(len(bases)) < strength
    bases[chosen] = generator.choice(list("ACGT"), chosen.sum())
    return "".join(bases)


def draw_bases(cell, ax):
    ax.set_label(f"{len(cell)} bases")
    return ax.bar(range(4), [cell.count(base) for base in "ACGT"])


DNA = Modality(
    "dna",
    make_encoder=make_encoder,
    disturbances={"mutations": (mutate, (0.2, 1.0))},
    draw=draw_bases,
)


class Declaring(TransformerMixin, BaseEstimator):
    """A user's transformer that declares the modalities of its columns."""

    def __init__(self, columns=None):
        self.columns = columns

    def fit(self, X, y=None):
        self.encoder_ = make_encoder().fit(X["gene"].fillna(""))
        return self

    def transform(self, X):
        return self.encoder_.transform(X["gene"].fillna("")).toarray()


def make_genes(n_samples=60):
    rng = np.random.default_rng(0)
    y = np.arange(n_samples) % 2
    weights = [[0.4, 0.1, 0.1, 0.4], [0.1, 0.4, 0.4, 0.1]]
    genes = ["".join(rng.choice(list("ACGT"), 40, p=weights[k])) for k in y]
    return pd.DataFrame({"gene": genes, "age": rng.normal(size=n_samples)}), y


MODEL = make_pipeline(
    Declaring(columns={"gene": DNA, "age": "numeric", "id": "drop"}),
    LogisticRegression(),
)
FUSION = MultimodalVotingClassifier(
    [("dna", MODEL, ["gene"]), ("age", LogisticRegression(), ["age"])]
)
ESTIMATORS = {
    "pipeline": MODEL,
    "fusion": FUSION,
    "search": GridSearchCV(FUSION, {"weights": [None, [2, 1]]}, cv=2),
    "search in a pipeline": Pipeline(
        [("search", GridSearchCV(FUSION, {"weights": [None]}, cv=2))]
    ),
}


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_declared_modalities_are_found_through_wrappers(name, fitted):
    estimator = ESTIMATORS[name]
    estimator = FrozenEstimator(estimator.fit(*make_genes())) if fitted else estimator
    declared = {"gene": DNA, "age": get_modality("numeric")}
    assert find_declared(estimator) == declared


def test_modalities_that_a_fit_detected_are_used_unless_others_are_declared():
    model = Declaring(columns={"gene": DNA})
    model.modalities_ = {"gene": "text", "note": "text", "id": "empty"}
    assert find_declared(make_pipeline(model)) == {
        "gene": DNA,
        "note": get_modality("text"),
    }
    assert find_declared(object()) == {}


@pytest.mark.parametrize("name", ["pipeline", "fusion"])
def test_cells_are_disturbed_by_the_users_own_disturbances(name):
    X, y = make_genes()
    model = ESTIMATORS[name].fit(X, y)
    report = robustness_report(model, X, y, shares=[0.5], random_state=0)
    own = report[report["disturbance"] == "mutations"]
    assert own["strength"].tolist() == [0.2, 1.0]
    assert own["loss"].iloc[1] > 0.2
    assert "typing errors" not in set(report["disturbance"])
    strengths = {"dna": {"mutations": 0.0}}
    report = robustness_report(model, X, y, shares=[], strengths=strengths)
    own = report[report["disturbance"] == "mutations"]
    assert own["loss"].tolist() == [0.0]
    score = make_robustness_scorer("mutations", 1.0)(model, X, y)
    assert score < model.score(X, y) - 0.2


def test_the_page_shows_the_users_own_picture():
    X, y = make_genes()
    html = explain(FUSION.fit(X, y), X.iloc[[0]])._repr_html_()
    assert re.search('<img alt="40 bases" width="200" src="data:image/png', html)


def test_displays_draw_a_modality_that_is_passed():
    X, _ = make_genes()
    genes = X["gene"].tolist()
    grid = RetrievalDisplay(
        genes[:1], [[genes[1], None]], query_modality=DNA, target_modality=DNA
    ).plot()
    heights = [bar.get_height() for bar in grid.artists_[0, 0]]
    assert heights == [genes[0].count(base) for base in "ACGT"]
    assert grid.artists_[0, 2].get_text() == "missing"
    points = np.random.default_rng(0).normal(size=(len(genes), 2))
    display = EmbeddingDisplay(points, cells=genes, modality=DNA).plot()
    assert len(display.shown_) > 5
    for thumbnail in display.thumbnails_:
        assert (thumbnail.offsetbox.get_data()[..., 3] > 100).mean() > 0.1


def test_files_are_passed_as_their_bytes(tmp_path):
    (tmp_path / "a.dna").write_bytes(b"ACGT")
    modality = Modality("dna", make_encoder=make_encoder, extensions=("dna",))
    assert modality.open_cell("a.dna", root=tmp_path) == b"ACGT"
    assert DNA.open_cell("a.dna", root=tmp_path) == "a.dna"  # it has no files
    with pytest.raises(ValueError, match="relative"):
        modality.open_cell("../a.dna", root=tmp_path)


def test_a_disturbance_that_always_fails_is_reported():
    X, y = make_genes()

    def fail(cell, strength, generator):
        raise ValueError("it is unwilling")

    broken = Modality("dna", make_encoder=make_encoder, disturbances={"x": fail})
    model = make_pipeline(Declaring({"gene": broken}), LogisticRegression()).fit(X, y)
    with pytest.warns(UserWarning, match="'dna' could be disturbed by 'x': it is unw"):
        robustness_report(model, X, y, shares=[])
