"""Warnings of bad cells: one per column and call, at the user's line."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    HOGEncoder,
    ImageLoader,
    LoadWarning,
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
