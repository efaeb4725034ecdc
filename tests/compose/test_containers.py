"""A global setting of output containers, under which all results stay the same."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_mm import (
    CanonicalAligner,
    MultimodalNetClassifier,
    MultimodalStackingClassifier,
    MultimodalVectorizer,
    MultimodalVotingClassifier,
    TextTokenizer,
    TextVectorizer,
    VectorStacker,
    multimodal_pipeline,
)
from sklearn_mm.nets import TabularMLP, TextCNN

WORDS = TextVectorizer(missing="empty")
NUMBERS = make_pipeline(SimpleImputer(), StandardScaler())
PARTS = [("words", WORDS, "review"), ("numbers", NUMBERS, ["price", "size"])]
MEMBERS = [(name, make_pipeline(t, LogisticRegression()), c) for name, t, c in PARTS]
MODELS = {
    "one line": multimodal_pipeline("classifier", random_state=0),
    "own estimator": multimodal_pipeline(LogisticRegression(), random_state=0),
    "vectorizer": MultimodalVectorizer(random_state=0),
    "sparse vectorizer": MultimodalVectorizer(n_components=None),
    "vote": MultimodalVotingClassifier(MEMBERS, weights="learned"),
    "stacking": MultimodalStackingClassifier(MEMBERS, final_estimator=SVC()),
    "search": GridSearchCV(MEMBERS[0][1], {"textvectorizer__binary": [True]}, cv=2),
    "ColumnTransformer": make_pipeline(
        ColumnTransformer(PARTS, sparse_threshold=0), LogisticRegression()
    ),
    "net": MultimodalNetClassifier(
        [("words", TextTokenizer(), "review"), PARTS[1]],
        backbones={"words": TextCNN, "numbers": TabularMLP},
        max_epochs=1,
        random_state=0,
    ),
    "aligner": CanonicalAligner(
        [("vectors", VectorStacker(), "embedding"), PARTS[1]], n_components=1
    ),
}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    columns = {
        "review": [
            f"{['good', 'bad'][c]} w{rng.integers(99)} x{i}" for i, c in enumerate(y)
        ],
        "price": rng.normal(size=24) + y,
        "size": rng.normal(size=24),
        "since": pd.date_range("2020-01-01", periods=24, freq="37h"),
        "shop": ["north", "south", "south"] * 8,
        "embedding": list(rng.normal(size=(24, 4)) + y[:, None]),
    }
    X = pd.DataFrame(columns)
    X.loc[3, "review"] = None
    X.loc[4, "price"] = np.nan
    return X, y


def compute(name, X, y):
    X = X["review"] if name == "search" else X
    model = clone(MODELS[name]).fit(X, y)
    methods = ("predict_proba", "decision_function", "transform")
    method = next(m for m in methods if hasattr(model, m))
    output = getattr(model, method)(X)
    return output.toarray() if sparse.issparse(output) else np.asarray(output)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_a_global_container_changes_no_number(table, name):
    expected = compute(name, *table)
    for library in ("pandas", "polars"):
        with config_context(transform_output=library):
            np.testing.assert_allclose(compute(name, *table), expected, atol=1e-5)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_pipeline_with_texts_obeys_set_output(table, library):
    X, y = table
    expected = WORDS.fit_transform(X["review"]).toarray()
    pipeline = make_pipeline(clone(WORDS), StandardScaler(with_mean=False))
    frame = pipeline.set_output(transform=library)[:1].fit_transform(X["review"])
    assert list(frame.columns) == WORDS.get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame.to_numpy(), expected)
    proba = multimodal_pipeline(LogisticRegression(), random_state=0)
    proba = proba.set_output(transform=library).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba, compute("own estimator", X, y), atol=1e-5)
