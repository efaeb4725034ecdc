"""Kinds of table columns: what makes a category, a number or a date, and for good."""

import datetime
import enum
import uuid
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skrub import TableVectorizer

from sklearn_mm import (
    LoadError,
    LoadWarning,
    MultimodalVectorizer,
    MultimodalVotingClassifier,
    VectorStacker,
)
from sklearn_mm._columns.column import as_column
from sklearn_mm._modalities.dates import parse_date
from sklearn_mm.compose._pipeline import TableReader
from sklearn_mm.inspection import robustness_report

MOMENT = datetime.datetime(2021, 8, 13, 17, 4, 5)
PATTERNS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%dT%H%M%SZ",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%y %H:%M:%S",
    "%d.%m.%Y, %H:%M:%S",
    "%d-%m-%Y %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S +0000",
    "%A, %d. %B %Y %H:%M:%S UTC",
    "%B %d, %Y %I:%M:%S%p",
    "%b %d %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%c",
]
DAYS = ["%Y-%m-%d", "%Y.%m.%d", "%d.%m.%Y", "%d %B %Y", "%d-%b-%y", "%Y%m%d"]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


def read(cells, kind=None, **options):
    """Read a column, and return its kind and what is read."""
    X = {"cell": pd.Series(cells, dtype=object), "other": np.arange(len(cells))}
    reader = TableReader(kind and {"cell": kind}, **options).fit(X)
    return reader.modalities_.get("cell"), reader.transform(X).get("cell")


@pytest.mark.parametrize("pattern", PATTERNS + DAYS)
def test_dates_are_read_as_strptime_reads_them(pattern):
    text = MOMENT.strftime(pattern)
    expected = datetime.datetime.strptime(text, pattern).replace(tzinfo=None)
    assert parse_date(text, day_first=True) == expected
    kind, found = read([text, "2020-02-29", None, "n/a"])
    assert kind == "datetime"
    assert found.tolist()[:2] == [expected, pd.Timestamp("2020-02-29")]
    assert found.isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        *("May", "Sunday", "now", "1.2.3", "1.10.2", "10.0.1903", "192.168.1.1"),
        *("17:04", "5 PM", "5/7", "5 March", "2021", "20219905", "555-12-3456"),
        *(
            "2021-02-30",
            "9999-12-31T23:59-01:00",
            "31/31/2021",
            "2021-08-13 25:00",
            "2021-08-13 13:00 PM",
        ),
        *("on 2021-08-13", "2021-08-13 and later", "March 5 was cold", "2021-W32-5"),
    ],
)
def test_what_is_not_a_date_is_not_taken_for_one(text):
    assert parse_date(text, True) is None
    assert parse_date(text, False) is None
    assert read([text, text, "x"])[0] != "datetime"


def test_offsets_are_removed_and_no_offset_is_utc():
    texts = [
        *("2021-03-28 01:59:59+01:00", "2021-03-28 03:00:00+02:00"),
        *("2021-03-28 01:00:01", "2021-03-28T01:00:02Z[UTC]", "2021-03-27 17:00-0800"),
    ]
    expected = pd.to_datetime(pd.Series(texts[:2]), utc=True).dt.tz_convert(None)
    kind, found = read(texts)
    assert kind == "datetime"
    assert found[:2].tolist() == expected.tolist()
    assert (found - found[0]).dt.total_seconds().tolist() == [0, 1, 2, 3, 1]


@pytest.mark.parametrize("day_first", [True, False])
def test_one_cell_says_whether_the_day_comes_first_in_all(day_first):
    pattern = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    days = pd.date_range("2021-01-05", periods=60, freq="MS") + pd.Timedelta(days=3)
    cells = [*days.strftime(pattern), "31/12/2021" if day_first else "12/31/2021"]
    reader = TableReader(on_error="warn").fit({"when": cells})
    assert reader.transform({"when": cells})["when"].tolist()[:-1] == list(days)
    # The column in the hands of a fold, and of a later table, keeps its form.
    fold = TableReader().declare_columns({"when": cells}).fit({"when": cells[:9]})
    assert fold.transform({"when": cells[:9]})["when"].tolist() == list(days[:9])
    other = ["12/31/2021" if day_first else "31/12/2021", "05/03/2021"]
    with pytest.warns(LoadWarning, match="'when'.*row 0 .*(month|day) first"):
        found = reader.transform({"when": other})["when"]
    assert found.isna().tolist() == [True, False]


def test_a_day_that_may_be_a_month_is_reported():
    cells = ["05/03/2021", "06/03/2021"]
    with pytest.warns(UserWarning, match="'when'.*'05/03/2021' .*the month first"):
        reader = TableReader().fit({"when": cells})
    found = reader.transform({"when": cells})["when"]
    assert found.dt.strftime("%m/%d/%Y").tolist() == cells
    dots = [cell.replace("/", ".") for cell in cells]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader = TableReader().fit({"when": dots})
    found = reader.transform({"when": dots})["when"]
    assert found.dt.strftime("%d.%m.%Y").tolist() == dots


def test_a_day_that_cannot_be_told_from_a_month_is_refused():
    reader = TableReader().fit({"when": pd.date_range("2021", periods=9)})
    known = reader.transform({"when": ["05/03/2021", "13/03/2021"]})["when"]
    assert known[0] == pd.Timestamp("2021-03-05")
    with pytest.raises(LoadError, match="row 0 .*the day or the month may come first"):
        reader.transform({"when": ["05/03/2021", "05/05/2021"]})


UNREADABLE = {
    "datetime": (["2021-03-05", "2021-03-06"], ["yesterday", 17, 3.5, MOMENT.time()]),
    "numeric": ([1.5, 2.0], ["12,5", "1.200,00", "n/a", MOMENT, 2j, 10**400]),
    "boolean": ([True, False], ["maybe", 2, MOMENT]),
    "category": (["a", "b"], [[1, 2], object(), b"\xff", 1j]),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_cell_that_cannot_be_read_is_reported(kind):
    good, bad = UNREADABLE[kind]
    vectorizer = MultimodalVectorizer(add_indicator=True).fit(
        pd.DataFrame({"cell": [*good, None], "other": [1, 2, 3]})
    )
    assert vectorizer.modalities_["cell"] == kind
    for cell in bad:
        cells = pd.Series([good[0], cell, good[1]], index=[7, 8, 9], dtype=object)
        X = pd.DataFrame({"cell": cells, "other": 0.0})
        with pytest.raises(LoadError, match="X: column 'cell': row 8 "):
            vectorizer.set_params(on_error="raise").transform(X)
        with pytest.warns(LoadWarning, match="row 8 .*Treated as missing"):
            features = vectorizer.set_params(on_error="warn").transform(X)
        X.loc[8, "cell"] = None
        expected = vectorizer.set_params(on_error="raise").transform(X)
        np.testing.assert_array_equal(features, expected)
        assert features[:, -1].tolist() == [0, 1, 0]


def test_a_declaration_that_fits_no_cell_is_refused():
    for kind, cell in (("numeric", "12,5"), ("datetime", 1609459200), ("boolean", "a")):
        X = pd.DataFrame({"cell": [cell, cell], "other": [1, 2]})
        with pytest.raises(ValueError, match=f"no cell of column 'cell' .*{kind!r}"):
            MultimodalVectorizer({"cell": kind}, on_error="missing").fit(X)
    with pytest.raises(TypeError, match="column 'cell' of X holds complex numbers"):
        MultimodalVectorizer().fit({"cell": np.array([1j, 2])})


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([True, 0, 2.5], "numeric", [1, 0, 2.5]),
        ([1.5, "2.5", "n/a"], "numeric", [1.5, 2.5, np.nan]),
        (["1.5", "-2e3", ""], "numeric", [1.5, -2000, np.nan]),
        ([datetime.time(1, 2, 3, 500_000)], "numeric", [3723.5]),
        ([pd.Period("2021-03")], "datetime", [pd.Timestamp("2021-03-01")]),
        ([pd.Period("1600-01")], "datetime", [pd.Timestamp("1600-01-01")]),
        (["9999-12-31"], "datetime", [pd.Timestamp("9999-12-31")]),
        (["01067", "10115"], "category", ["01067", "10115"]),
        (["NA", "DE", "?"], "category", ["NA", "DE", "?"]),
        ([b"NA", b"DE"], "category", ["NA", "DE"]),
        ([Color.RED, Color.BLUE], "category", ["red", "blue"]),
        ([uuid.UUID(int=1)], "category", [str(uuid.UUID(int=1))]),
        ([pd.Interval(0, 1)], "category", ["(0, 1]"]),
        (["a\udc80", "b"], "category", ["a\\udc80", "b"]),
        ([1, "a", "b", 2.5], "category", ["1", "a", "b", "2.5"]),
    ],
)
def test_scalars_of_each_type_have_their_kind(cells, kind, expected):
    found, values = read([*cells, None])
    assert found == kind
    pd.testing.assert_series_equal(
        values.astype(object).fillna(np.nan),
        pd.Series([*expected, np.nan], dtype=object),
        check_names=False,
    )


@pytest.mark.parametrize("n_codes", [8, 60])
def test_codes_declared_a_category_are_encoded_as_skrub_encodes_categories(n_codes):
    codes = np.random.default_rng(0).integers(0, n_codes, 300) * 137 + 10_000
    strings = pd.DataFrame({"zip": codes.astype(str)}).astype("category")
    expected = TableVectorizer().fit(strings)
    forms = codes, codes.astype(str), codes.astype(float), pd.Categorical(codes)
    for column in forms:
        vectorizer = MultimodalVectorizer({"zip": "category"}, block_scaling=None)
        vectorizer.fit(pd.DataFrame({"zip": column}))
        names = [f"zip__{n[4:]}" for n in expected.get_feature_names_out()]
        assert vectorizer.get_feature_names_out().tolist() == names
        encoder = vectorizer.encoders_["zip",][0]
        assert encoder.column_to_kind_ == expected.column_to_kind_
        if n_codes == 8:  # more are reduced to random components
            pd.testing.assert_frame_equal(
                encoder.transform(strings), expected.transform(strings)
            )


def test_a_type_of_categories_is_one_unless_it_names_files():
    dates = pd.Series(["2021-03-05", "2021-03-06"] * 30)
    for column in (dates, dates.str.replace("-", ""), dates == "2021-03-05"):
        X = pd.DataFrame({"cell": column.astype("category")})
        assert MultimodalVectorizer().fit(X).modalities_ == {"cell": "category"}
    files = pd.DataFrame({"cell": pd.Series(["a.png", "b.png"], dtype="category")})
    found = MultimodalVectorizer(on_error="missing").declare_columns(files)
    assert found.columns["cell"][0] == "image"


@pytest.mark.parametrize("kind", ["M8[D]", "m8[h]", "M8[ns]"])
def test_nat_is_missing_in_plain_arrays(kind):
    cells = np.array([3, "NaT", 5], kind)
    assert as_column(cells, "test").missing.tolist() == [False, True, False]
    for X in ({"x0": cells}, cells[:, None], cells[:, None].astype(object)):
        if kind == "M8[ns]" and not isinstance(X, dict):
            continue  # numpy makes integers of these
        vectorizer = MultimodalVectorizer(add_indicator=True)
        features = vectorizer.fit_transform(X)
        assert features[:, -1].tolist() == [0, 1, 0]
        assert np.isnan(features[1, :-1]).all()


@pytest.mark.parametrize("dtype", ["m8[s]", "Int64", "object", "float32"])
def test_numbers_of_any_type_are_joined_to_vectors(dtype):
    first = pd.Series([1, None, 4], dtype="Int64")
    first = pd.to_timedelta(first, "s") if dtype == "m8[s]" else first.astype(dtype)
    joined = MultimodalVectorizer({("a", "b"): "vector"}, block_scaling=None)
    features = joined.fit_transform(pd.DataFrame({"a": first, "b": [1.0, 2, 4]}))
    single = pd.DataFrame({"v": [[1, 1.0], [np.nan, 2], [4, 4]]})
    vectors = MultimodalVectorizer({"v": "vector"}, block_scaling=None)
    np.testing.assert_allclose(features, vectors.fit_transform(single))


def test_vectors_of_durations_are_seconds_and_of_dates_refused():
    durations = np.array([[1, 2], [3, "NaT"], ["NaT", "NaT"]], "m8[m]")
    expected = [[60, 120], [180, np.nan], [np.nan, np.nan]]
    np.testing.assert_array_equal(VectorStacker().fit_transform(durations), expected)
    with pytest.raises(LoadError, match="row 0 .*it holds dates"):
        VectorStacker().fit(durations + np.datetime64("2021-01-01"))


def test_durations_are_disturbed_in_seconds():
    n, y = 40, np.arange(40) % 2
    X = pd.DataFrame({"wait": pd.to_timedelta(np.arange(n) + 90 * y, "s")})
    model = make_pipeline(MultimodalVectorizer(), LogisticRegression()).fit(X, y)
    vote = MultimodalVotingClassifier([("wait", model, ["wait"])]).fit(X, y)
    report = robustness_report(vote, X, y, strengths={"numeric": {"noise": (0, 9)}})
    scores = report[report["disturbance"] == "noise"]["score"]
    assert scores.iloc[0] == 1 > scores.iloc[1]
