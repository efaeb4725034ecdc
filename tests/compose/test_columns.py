"""Columns that are declared, encoders that are given, and modalities of one's own."""

import datetime
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    Modality,
    MultimodalVectorizer,
    MultimodalVotingClassifier,
    TextTokenizer,
    TextVectorizer,
    make_modality_selector,
    multimodal_pipeline,
)
from sklearn_mm._modalities import table as table_module

RNG = np.random.default_rng(0)


def make_kmers():
    return CountVectorizer(analyzer="char", ngram_range=(2, 2))


DNA = Modality("dna", make_encoder=make_kmers)


def make_frame(n=60):
    y = np.arange(n) % 2
    words = ["plain words", "other words"]
    return pd.DataFrame(
        {
            "title": [f"{words[i]} {RNG.integers(999)} {RNG.integers(999)}" for i in y],
            "note": [f"{RNG.integers(999)} seen on {RNG.integers(999)}" for _ in y],
            "gene": ["".join(RNG.choice(list("ACGT"[i:]), 20)) for i in y],
            "photo": list(RNG.random((n, 12, 12)) / (1 + y)[:, None, None]),
            **{f"emb_{i}": RNG.normal(size=n) + y for i in range(3)},
            "zip": [f"0{RNG.integers(1000, 1005)}" for _ in y],
        }
    ), y


def test_a_modality_of_ones_own_is_encoded_by_its_encoder():
    X, _ = make_frame()
    vectorizer = MultimodalVectorizer({"gene": DNA}, n_components=None)
    features = vectorizer.fit_transform(X[["gene"]])
    expected = make_kmers().fit_transform(X["gene"]).toarray().astype(float)
    scale = np.sqrt(expected.var(axis=0).sum())
    np.testing.assert_allclose(features.toarray(), expected / scale, rtol=1e-5)
    assert vectorizer.modalities_ == {"gene": "dna"}
    again = pickle.loads(pickle.dumps(vectorizer))
    assert (again.transform(X) != features).nnz == 0


def test_a_name_that_is_taken_is_refused():
    X, _ = make_frame()
    for name in ("image", "table", "drop"):
        other = Modality(name, make_encoder=make_kmers)
        with pytest.raises(ValueError, match=f"called '{name}'"):
            MultimodalVectorizer({"gene": other}).fit(X)


def test_a_tuple_of_names_is_one_vector_for_each_row():
    X, _ = make_frame()
    names = ("emb_0", "emb_1", "emb_2")
    block = MultimodalVectorizer({names: "vector"}).fit(X[list(names)])
    column = MultimodalVectorizer({"v": "vector"})
    vectors = pd.DataFrame({"v": list(X[list(names)].to_numpy())})
    np.testing.assert_allclose(
        block.transform(X[list(names)]), column.fit_transform(vectors), rtol=1e-6
    )
    assert list(block.encoders_) == [names]
    assert set(block.modalities_.values()) == {"vector"}
    gaps = X[list(names)].copy()
    gaps.iloc[3] = np.nan
    assert np.isnan(block.transform(gaps)[3]).all()


def test_a_tuple_of_pictures_is_pooled():
    X, _ = make_frame()
    X["back"] = X["photo"][::-1].to_list()
    X.loc[0, "back"] = None
    block = MultimodalVectorizer({("photo", "back"): "image"}, n_components=None)
    alone = MultimodalVectorizer({"photo": "image"}, n_components=None)
    both = block.fit_transform(X[["photo", "back"]])
    one = alone.fit_transform(X[["photo"]])
    ratio = both[0][one[0] != 0] / one[0][one[0] != 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)  # up to the scale


def test_an_encoder_of_a_column_wins_over_one_of_its_modality():
    X, _ = make_frame()
    vectorizer = MultimodalVectorizer(
        encoders={"text": TextVectorizer(), "title": TextVectorizer(max_features=2)}
    ).fit(X[["title", "note"]])
    widths = {k: len(e.vocabulary_) for k, e in vectorizer.encoders_.items()}
    assert widths["title"] == 2 < widths["note"]
    with pytest.raises(ValueError, match="key 'titel', which is neither a column"):
        MultimodalVectorizer(encoders={"titel": TextVectorizer()}).fit(X[["title"]])


def test_a_grid_reaches_columns_encoders_and_their_parameters():
    X, y = make_frame()
    model = make_pipeline(
        MultimodalVectorizer(encoders={"title": TextVectorizer()}, n_components=None),
        LogisticRegression(),
    )
    name = "multimodalvectorizer"
    grid = {
        f"{name}__encoders__title__max_features": [1, None],
        f"{name}__columns__zip": ["category", "drop"],
        f"{name}__encoders__note": [TextVectorizer(analyzer="char")],
    }
    search = GridSearchCV(model, grid, cv=2, n_jobs=2)
    search.fit(X[["title", "note", "zip"]], y)
    best = search.best_estimator_[0]
    assert best.get_params()["encoders__note__analyzer"] == "char"
    assert best.modalities_["zip"] in ("category", "drop")
    assert model[0].columns is None  # the search changed copies
    with pytest.raises(ValueError, match="has no entry that it could belong to"):
        MultimodalVectorizer().set_params(encoders__title__max_features=3)


def test_parameters_of_entries_survive_a_clone():
    encoder = TextVectorizer(max_features=3)
    copy = clone(MultimodalVectorizer({"a": "text"}, {"a": encoder}))
    copy.set_params(encoders__a__max_features=5, columns__b="drop")
    assert encoder.max_features == 3
    assert copy.columns == {"a": "text", "b": "drop"}
    assert copy.get_params()["encoders__a__max_features"] == 5


def test_no_name_of_a_column_collides_with_a_name_of_ours():
    X, _ = make_frame()
    names = {"title": "table", "note": "text", "emb_0": "image", "zip": "drop"}
    plain = MultimodalVectorizer().fit_transform(X[list(names)])
    renamed = X[list(names)].rename(columns=names)
    np.testing.assert_array_equal(MultimodalVectorizer().fit_transform(renamed), plain)


@pytest.mark.parametrize(
    "names",
    [
        range(3),
        [2, 0, 1],
        [("a", 1), ("a", 2), ("b", 1)],
        [datetime.date(2024, 1, day) for day in (1, 2, 3)],
    ],
    ids=["integers", "shuffled integers", "tuples", "dates"],
)
def test_names_may_be_any_hashable(names):
    X, y = make_frame()
    X = X[["title", "photo", "emb_0"]]
    model = multimodal_pipeline("classifier", random_state=0)
    expected = clone(model).fit(X, y).predict_proba(X)
    other = X.set_axis(pd.Index(list(names), tupleize_cols=False), axis=1)
    np.testing.assert_allclose(model.fit(other, y).predict_proba(other), expected)
    vectorizer = MultimodalVectorizer({names[0]: "text"}).fit(other)
    assert vectorizer.modalities_[names[0]] == "text"
    assert all(isinstance(n, str) for n in vectorizer.get_feature_names_out())


@pytest.fixture
def looks(monkeypatch):
    """Count the columns that are looked at."""
    columns = []
    detect = table_module.detect_modality

    def count(column, *args):
        columns.append(column)
        return detect(column, *args)

    monkeypatch.setattr(table_module, "detect_modality", count)
    return columns


def test_one_line_looks_at_each_column_once(looks):
    X, y = make_frame()
    multimodal_pipeline("classifier").fit(X, y)
    assert len(looks) == X.shape[1]


def test_folds_use_what_was_found_in_the_whole_table(looks):
    # 42 distinct strings of two words in 100 rows are texts, in a fold a category.
    X = pd.DataFrame({"name": [f"name {i % 42}" for i in range(100)]})
    y = np.arange(100) % 42 % 2
    member = make_pipeline(MultimodalVectorizer(), LogisticRegression())
    fusion = MultimodalVotingClassifier(
        [("a", member, make_modality_selector("text")), ("b", member, ["name"])],
        guard=True,
    )
    with config_context(assume_finite=False):
        fusion.fit(X, y)
    assert len(looks) == 1
    for fitted in fusion.estimators_:
        assert fitted[0].modalities_ == {"name": "text"}
        assert fitted[0].reasons_["name"].startswith("2 words")


def test_a_selector_selects_by_modality_in_any_table():
    X, _ = make_frame()
    assert make_modality_selector("text")(X) == ["title", "note"]
    assert make_modality_selector("table", "image")(X)[-1] == "photo"
    dna = make_modality_selector("dna", columns={"gene": DNA})
    assert dna({"gene": X["gene"], "n": X["emb_0"]}) == ["gene"]
    numbers = X[["emb_0", "emb_1"]].to_numpy()
    assert make_modality_selector("numeric")(numbers) == [0, 1]
    assert clone(dna).columns["gene"] == DNA


@pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
@pytest.mark.parametrize("container", [dict, pd.DataFrame])
def test_lone_surrogates_are_characters_like_others(container):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    texts = [f"{['good', 'bad'][c]}? w{i % 9}?x?? u{i}" for i, c in enumerate(y)]
    shops = rng.choice(["north?", "south", "?"], 40)
    numbers = rng.normal(size=40) + y
    labels = np.array(["no?", "yes"], dtype=object)[y]
    results = []
    for character in ("\u2603", "\ud800"):

        def put(strings, character=character):
            return np.array([s.replace("?", character) for s in strings], dtype=object)

        names = put(["text?", "shop?", "n?"])
        X = dict(zip(names, [put(texts), put(shops), numbers]))
        if container is pd.DataFrame:
            cells = [pd.Series(cells, dtype=object) for cells in X.values()]
            X = pd.DataFrame(dict(enumerate(cells)))
            X.columns = pd.Index(names, dtype=object)
        model = multimodal_pipeline("classifier", random_state=0).fit(X, put(labels))
        assert model.classes_.tolist() == put(["no?", "yes"]).tolist()
        tokens = TextTokenizer().fit_transform(put(texts))
        results.append((model.predict_proba(X), tokens))
    for plain, lone in zip(*results):
        np.testing.assert_allclose(lone, plain, atol=1e-6)


def test_a_table_without_a_value_is_refused_as_such():
    table = pd.DataFrame({"photo": [None] * 9, "price": np.nan})
    with pytest.raises(ValueError, match="Every cell of X is missing.*'photo'"):
        multimodal_pipeline("classifier").fit(table, [0, 1, 1] * 3)
