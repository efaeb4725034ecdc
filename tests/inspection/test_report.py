"""Each modality alone, beside all fused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_mm import ImageLoader, MultimodalVotingClassifier, VectorStacker
from sklearn_mm.inspection import modality_report

from ..conftest import encode_image, make_photo
from .conftest import COLUMNS, ESTIMATORS, VOTING, make_table

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_mm.exceptions.AbstentionWarning"
)


def test_every_estimator_is_reported_on(fitted):
    X, y = make_table(fitted)
    X.loc[:29, COLUMNS["a"]] = np.nan
    before = X.copy()
    report = modality_report(fitted, X, y)
    assert report.index.name == "modality"
    assert report.index[-1] == "fused"
    assert report.loc["fused", "score"] == pytest.approx(fitted.score(X, y), abs=1e-3)
    assert report["agreement"].iloc[-1] == pytest.approx(1)
    assert report["present"].iloc[0] == 0.75
    has_proba = hasattr(fitted, "predict_proba")
    assert report["calibration_error"].notna().all() == has_proba
    assert report["mended"].isna().all() == is_regressor(fitted)
    assert X.equals(before)


def test_a_modality_alone_is_its_member_on_the_rows_that_have_it(voting):
    X, y = make_table()
    X.loc[:29, COLUMNS["a"]] = np.nan
    report = modality_report(voting, X, y).loc["a"]
    has = np.arange(len(X)) >= 30
    own = voting.named_estimators_["a"].predict(X.loc[has, COLUMNS["a"]])
    fused = voting.predict(X[has])
    right, mended = own == y[has], fused == y[has]
    assert report["score"] == pytest.approx(right.mean(), abs=1e-3)
    assert report["agreement"] == pytest.approx(np.mean(own == fused), abs=1e-3)
    assert report["mended"] == pytest.approx(np.mean(~right & mended), abs=1e-3)
    assert report["spoiled"] == pytest.approx(np.mean(right & ~mended), abs=1e-3)


def test_what_fusing_mends_less_what_it_spoils_is_its_gain(voting):
    X, y = make_table()
    report = modality_report(voting, X, y)
    gain = report.loc["fused", "score"] - report["score"]
    np.testing.assert_allclose(gain, report["mended"] - report["spoiled"], atol=2e-3)


def test_the_calibration_error_is_the_mean_gap_by_bin(voting):
    X, y = make_table(n_samples=300)
    report = modality_report(voting, X, y)
    proba = voting.predict_proba(X)
    sure, right = proba.max(axis=1), proba.argmax(axis=1) == y
    expected = 0
    for low in np.arange(10) / 10:
        rows = (sure >= low) & (sure < low + 0.1)
        if rows.any():
            expected += rows.mean() * abs(right[rows].mean() - sure[rows].mean())
    assert report.loc["fused", "calibration_error"] == pytest.approx(expected, abs=1e-4)


def test_regressors_agree_by_correlation():
    X, y = make_table(ESTIMATORS["mean"])
    model = clone(ESTIMATORS["mean"]).fit(X, y)
    own = model.named_estimators_["a"].predict(X[COLUMNS["a"]])
    expected = np.corrcoef(own, model.predict(X))[0, 1]
    report = modality_report(model, X, y)
    assert report.loc["a", "agreement"] == pytest.approx(expected, abs=1e-3)


def test_files_that_cannot_be_read_count_as_absent():
    photos = [encode_image(make_photo(16, 16, seed)) for seed in range(20)]
    X = pd.DataFrame({"image": photos, "number": np.arange(20) % 2})
    y = np.arange(20) % 2
    loader = ImageLoader(size=(4, 4), on_error="missing")
    image = make_pipeline(loader, VectorStacker(), LogisticRegression())
    fusion = MultimodalVotingClassifier(
        [("image", image, "image"), ("number", LogisticRegression(), ["number"])]
    ).fit(X, y)
    broken = X.astype({"image": object})
    broken.loc[:4, "image"] = b"broken"
    broken.loc[5, "image"] = None
    report = modality_report(fusion, broken, y)
    assert report["present"].tolist() == [0.7, 1.0, 1.0]


def test_a_modality_that_no_row_has_is_not_scored(voting):
    X, y = make_table()
    X[COLUMNS["a"]] = np.nan
    report = modality_report(voting, X, y, scoring="neg_log_loss")
    assert report.loc["a", "present"] == 0
    assert report.loc["a"].drop("present").isna().all()


def test_labels_may_be_of_any_type():
    X, y = make_table()
    words = pd.Series(np.array(["x", "y", "z"])[y])
    model = clone(VOTING).fit(X, words)
    numbers = modality_report(clone(VOTING).fit(X, y), X, y)
    pd.testing.assert_frame_equal(modality_report(model, X, words), numbers)
