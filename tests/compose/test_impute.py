"""Means in place of NaN."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.impute import SimpleImputer
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mm.compose._impute import MeanImputer


@parametrize_with_checks([MeanImputer()])
def test_it_is_a_transformer_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csc_array])
def test_it_fills_in_what_scikit_learn_does(container, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 12)).astype(dtype)
    X[rng.random(X.shape) < 0.5] = 0
    X[rng.random(X.shape) < 0.2] = np.nan
    X[:, 3], X[:, 5] = np.nan, 0
    new = X[::-1].copy()
    new[:2] = np.nan
    ours = MeanImputer().fit(container(X))
    other = SimpleImputer(keep_empty_features=True).fit(container(X))
    np.testing.assert_allclose(ours.statistics_, other.statistics_, rtol=1e-5)
    given = container(new)
    filled = ours.transform(given)
    assert filled.dtype == dtype
    assert sparse.issparse(filled) == sparse.issparse(given)
    dense = [m.toarray() if sparse.issparse(m) else m for m in (filled, given)]
    expected = other.transform(container(new))
    expected = expected.toarray() if sparse.issparse(expected) else expected
    np.testing.assert_allclose(dense[0], expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(dense[1], new)  # what was given stays
