"""Cells of a table in the types of other libraries are the same cells."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_mm import MultimodalVectorizer
from sklearn_mm.compose._pipeline import TableReader

from .cells import FORMS, draw_cells, expect, put_in_table
from .hostile import examples


def read(fitted, column):
    """What a fitted reader reads, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fitted.transform(put_in_table(column))["cell"]


def assert_same_column(found, expected):
    found = found.astype(expected.dtype)
    pd.testing.assert_series_equal(found, expected, check_names=False)


@pytest.mark.parametrize("kind", FORMS)
def test_cells_are_read_the_same_from_each_library(kind):
    minutes = pd.date_range("1999-01-01 13:05", periods=40, freq="36h17min")
    cells = {
        "datetime": list(minutes.to_pydatetime()),
        "numeric": list((minutes - minutes[7]).to_pytimedelta()),
        "category": [i * 37 % 11 for i in range(40)],
    }[kind]
    cells[3] = None
    for form, make in FORMS[kind].items():
        reader = TableReader({"cell": kind} if kind == "category" else None)
        column = make(cells)
        found = read(reader.fit(put_in_table(column)), column)
        assert reader.modalities_["cell"] == kind, form
        assert_same_column(found, expect(kind, cells))


@examples(25)
@given(draw_cells(), st.data())
def test_the_form_at_predict_need_not_be_that_of_fit(drawn, data):
    kind, cells = drawn
    forms = FORMS[kind]
    seen, given_ = (data.draw(st.sampled_from(sorted(forms))) for _ in range(2))
    reader = TableReader({"cell": kind}).fit(put_in_table(forms[seen](cells)))
    found = read(reader, forms[given_](cells))
    assert_same_column(found, expect(kind, cells))


@examples(2)
@given(draw_cells(), st.data())
def test_features_do_not_depend_on_the_form_of_cells(drawn, data):
    kind, cells = drawn
    seen, given_ = (data.draw(st.sampled_from(sorted(FORMS[kind]))) for _ in range(2))
    vectorizer = MultimodalVectorizer({"cell": kind})
    expected = vectorizer.fit_transform(put_in_table(FORMS[kind][seen](cells)))
    features = vectorizer.transform(put_in_table(FORMS[kind][given_](cells)))
    np.testing.assert_allclose(features, expected, atol=1e-6)
