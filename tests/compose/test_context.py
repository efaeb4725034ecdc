"""Rows among their neighbours: groups, order, gaps, containers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_mm import ContextWindow, NetClassifier, SequencePadder, TextVectorizer
from sklearn_mm.nets import SequenceRNN

WINDOW = ContextWindow("talk", order="turn", before=2, after=1)


def make_table(n=60, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "talk": rng.choice(["x", "y", "z"], n),
            "turn": rng.permutation(n),
            "vector": list(rng.normal(size=(n, 3)).astype(np.float32)),
        },
        index=rng.permutation(n) + 100,
    )
    return table


def look_up(table, before, after):
    """The same by a loop over rows."""
    table = table.reset_index(drop=True)
    windows = np.full((len(table), before + 1 + after, 3), np.nan, np.float32)
    for row, talk in enumerate(table["talk"]):
        same = table[table["talk"] == talk].sort_values("turn", kind="stable").index
        place = list(same).index(row)
        for step, other in enumerate(range(place - before, place + after + 1)):
            if 0 <= other < len(same) and table["vector"][same[other]] is not None:
                windows[row, step] = table["vector"][same[other]]
    return windows


@pytest.mark.parametrize(("before", "after"), [(2, 1), (0, 3), (0, 0), (80, 80)])
def test_windows_are_those_of_a_loop(before, after):
    table = make_table()
    table.iloc[7, 2] = None
    window = clone(WINDOW).set_params(before=before, after=after)
    windows = window.fit_transform(table)
    assert windows.dtype == np.float32
    np.testing.assert_array_equal(windows, look_up(table, before, after))


def test_a_row_is_step_before_of_its_window_wherever_it_is_in_the_table():
    table = make_table()
    windows = clone(WINDOW).transform(table)
    np.testing.assert_array_equal(windows[:, 2], np.stack(table["vector"]))
    order = np.random.default_rng(1).permutation(len(table))
    np.testing.assert_array_equal(WINDOW.transform(table.iloc[order]), windows[order])


def test_no_row_of_another_group_is_ever_used():
    table = make_table()
    windows = WINDOW.transform(table)
    other = table.copy()
    elsewhere = (other["talk"] == "y").to_numpy()
    other["vector"] = [
        v + 1000 if far else v for v, far in zip(other["vector"], elsewhere)
    ]
    changed = WINDOW.transform(other)
    np.testing.assert_array_equal(changed[~elsewhere], windows[~elsewhere])
    both = pd.concat([table.assign(day=1), table.assign(day=2)])
    twice = clone(WINDOW).set_params(group=["talk", "day"]).transform(both)
    np.testing.assert_array_equal(twice, np.concatenate([windows, windows]))


def test_tables_of_any_kind_give_the_same():
    table = make_table()
    expected = WINDOW.transform(table)
    numbers = pd.DataFrame(np.stack(table["vector"]), index=table.index)
    wide = pd.concat([table[["talk", "turn"]], numbers.add_prefix("v")], axis=1)
    np.testing.assert_array_equal(WINDOW.transform(wide), expected)
    np.testing.assert_array_equal(WINDOW.transform(pl.from_pandas(wide)), expected)
    array = wide.to_numpy(dtype=object)
    by_number = ContextWindow(0, order=1, before=2, after=1)
    np.testing.assert_array_equal(by_number.transform(array), expected)
    assert WINDOW.transform(table.iloc[:0]).shape[:2] == (0, 4)
    one = ContextWindow("talk", order="turn", before=0, after=0)
    one = one.fit_transform(table[["talk", "turn"]].assign(x=range(60)))
    np.testing.assert_array_equal(one[:, 0, 0], range(60))


def test_without_an_order_rows_stay_as_they_are():
    table = make_table().sort_values("turn")
    window = clone(WINDOW).set_params(order=None)
    np.testing.assert_array_equal(
        window.transform(table.drop(columns="turn")), WINDOW.transform(table)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="talk"), "no column 'talk' \\(group\\)"),
        (lambda t: t.drop(columns="turn"), "no column 'turn' \\(order\\)"),
        (lambda t: t.drop(columns="vector"), "none with vectors"),
        (
            lambda t: t.assign(talk=[None, *["a"] * 59]),
            "1 rows, the first at position 0",
        ),
        (lambda t: t.assign(turn=[np.nan] * 2 + [1.0] * 58), "missing from 2 rows"),
    ],
)
def test_what_is_missing_is_named(change, message):
    table = make_table()
    with pytest.raises(ValueError, match=message):
        clone(WINDOW).fit(change(table))
    with pytest.raises(ValueError, match=message):
        clone(WINDOW).fit(table).transform(change(table))


def test_vectors_are_as_long_as_in_fit():
    table = make_table()
    short = table.assign(vector=[v[:2] for v in table["vector"]])
    with pytest.raises(ValueError, match=r"\(3,\), got \(2,\)"):
        clone(WINDOW).fit(table).transform(short)


def test_it_feeds_sequence_networks_and_follows_encoders():
    rng = np.random.default_rng(0)
    mood = np.repeat(rng.integers(0, 2, 40), 6)
    table = pd.DataFrame(
        {
            "talk": np.repeat(np.arange(40), 6),
            "turn": np.tile(np.arange(6), 40),
            "text": [
                rng.choice(["good", "bad"], p=[0.3 + 0.4 * m, 0.7 - 0.4 * m])
                for m in mood
            ],
        }
    )
    words = ColumnTransformer(
        [
            ("place", "passthrough", ["talk", "turn"]),
            ("words", TextVectorizer(sparse_output=False), "text"),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = make_pipeline(
        words,
        ContextWindow("talk", order="turn", before=5, after=5),
        SequencePadder(),
        NetClassifier(SequenceRNN, module__pooling="mean", lr=0.01, random_state=0),
    )
    scores = cross_val_score(model, table, mood, groups=table["talk"], cv=GroupKFold(3))
    alone = ((table["text"] == "good") == mood).mean()
    assert scores.mean() > alone + 0.05
