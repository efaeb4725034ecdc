"""Warnings of bad cells: one per column and call, at the user's line."""

import os
import re
import warnings

import cv2
import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    CachedEncoder,
    HOGEncoder,
    ImageLoader,
    LoadError,
    LoadWarning,
    MultimodalVectorizer,
    MultimodalVotingClassifier,
    VectorStacker,
    multimodal_pipeline,
)

from ..conftest import make_photo

BAD = {3: b"broken", 9: b"not an image", 30: b"broken"}


def make_table(container):
    photos = [BAD.get(row, make_photo(20, 20, row)) for row in range(40)]
    numbers = np.random.default_rng(0).normal(size=40)
    if container is pl.DataFrame:
        photos = pl.Series(photos, dtype=pl.Object)
    elif container is dict:
        photos = pd.Series(photos).to_numpy()
    return container({"photo": photos, "number": numbers})


def make_vote(n_jobs=None):
    hog = make_pipeline(
        ImageLoader(on_error="warn"), HOGEncoder(), LogisticRegression()
    )
    numbers = LogisticRegression()
    members = [("photo", hog, "photo"), ("number", numbers, ["number"])]
    return MultimodalVotingClassifier(members, weights="learned", cv=2, n_jobs=n_jobs)


Y = np.arange(40) % 2


def record(call, action="always"):
    """Return the messages about bad cells, all of which point to this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        call()
    caught = [w for w in caught if w.category is LoadWarning]
    assert {w.filename for w in caught} <= {__file__}
    return [str(w.message) for w in caught]


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame, dict])
def test_a_fit_warns_once_and_names_the_rows_of_the_table(container, n_jobs):
    table, vote = make_table(container), make_vote(n_jobs)
    with parallel_config("threading"):
        for call in (lambda: vote.fit(table, Y), lambda: vote.predict(table)):
            (message,) = record(call)
            assert "3 of 40 cells" in message
            assert [f"row {row} (" in message for row in range(40)] == [
                row in BAD for row in range(40)
            ]


def test_workers_hand_their_warnings_to_the_caller():
    with parallel_config("multiprocessing"):
        (message,) = record(lambda: make_vote(n_jobs=2).fit(make_table(dict), Y))
    assert all(f"row {row} (" in message for row in BAD)


@pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
def test_a_search_names_each_bad_cell_once():
    model = multimodal_pipeline("classifier", random_state=0)
    grid = {"fusion__all__logisticregression__C": [1, 10]}
    table = make_table(pd.DataFrame)[["photo"]]
    messages = record(lambda: GridSearchCV(model, grid, cv=2).fit(table, Y))
    assert sum(message.count(" bytes)") for message in messages) <= len(BAD)
    assert all("column 'photo'" in message for message in messages)


@pytest.mark.parametrize("action", ["default", "always"])
def test_other_bad_cells_are_new_and_the_same_ones_are_not(action):
    stacker = VectorStacker(on_error="warn").fit(np.ones((2, 3)))
    cells = [np.ones(3), "a", np.ones(3), "a", "b"]

    def run():
        for column in (cells[:2], cells[:3], cells[2:4], cells, cells[:3]):
            stacker.transform(column)
            stacker.transform(pd.Series(column, name="v"))

    assert len(record(run, action)) == 4
    assert len(record(run, action)) == 4  # whoever listens anew hears all of them


def test_a_warning_that_was_raised_is_raised_again():
    stacker = VectorStacker(on_error="warn").fit(np.ones((2, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(LoadWarning):
                stacker.transform(["a", np.ones(3)])


@pytest.fixture
def files(tmp_path):
    for row in range(40):
        cv2.imwrite(str(tmp_path / f"{row}.png"), make_photo(20, 20, row))
    numbers = np.arange(40.0)
    return pd.DataFrame({"photo": [f"{i}.png" for i in range(40)], "n": numbers})


def make_models(**options):
    hog = make_pipeline(ImageLoader(**options), HOGEncoder(), LogisticRegression())
    members = [("photo", hog, "photo"), ("n", LogisticRegression(), ["n"])]
    vectorizer = MultimodalVectorizer(n_components=None, **options)
    return [
        MultimodalVotingClassifier(members),
        multimodal_pipeline("classifier", vectorizer=vectorizer, random_state=0),
        MultimodalVectorizer(columns={"photo": "image"}, cache=None, **options),
    ]


@pytest.mark.filterwarnings("ignore::sklearn_mm.exceptions.FusionWarning")
@pytest.mark.parametrize("model", [0, 1, 2])
@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame])
def test_a_fit_stops_at_the_first_look_where_most_files_do_not_exist(
    files, tmp_path, model, container
):
    table = container(files.to_dict("list"))
    for root in (None, "elsewhere"):
        folder = re.escape(os.path.abspath(root or ""))
        message = f"40 of 40 files of column 'photo'.* '0.png' .*{folder}.*root="
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(LoadError, match=message) as caught:
                make_models(on_error="warn", root=root)[model].fit(table, Y)
        assert len(caught.value.failures) == 40
    fitted = make_models(on_error="warn", root=tmp_path)[model].fit(table, Y)
    lacking = container({"photo": [f"no{i}.png" for i in range(9)], "n": np.ones(9)})
    predict = getattr(fitted, "predict", getattr(fitted, "transform", None))
    (message,) = record(lambda: predict(lacking))
    assert "9 of 9 cells" in message  # a prediction goes on


def test_half_of_the_files_or_a_few_may_be_missing(files, tmp_path):
    loader = ImageLoader(on_error="missing", root=tmp_path)
    paths = files["photo"].where(files["n"] % 2 == 0, "no" + files["photo"])
    assert np.isnan(loader.fit_transform(paths)[1::2]).all()
    assert np.isnan(loader.fit_transform(["a.png"] * 4)).all()
    cached = CachedEncoder(loader)
    np.testing.assert_array_equal(cached.fit_transform(paths), loader.transform(paths))
