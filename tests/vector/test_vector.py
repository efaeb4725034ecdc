"""Vectors that are there already, and cells of several items."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    HOGEncoder,
    ImageLoader,
    LoadError,
    MultimodalVectorizer,
    PooledEncoder,
    TextVectorizer,
    VectorStacker,
)

from ..conftest import encode_image, make_photo

HOG = make_pipeline(ImageLoader(on_error="missing"), HOGEncoder())
PHOTOS = [encode_image(make_photo(seed=seed)) for seed in range(5)]


def test_arrays_are_flattened_in_order():
    images = np.random.default_rng(0).random((4, 3, 5)).astype(np.float32)
    vectors = VectorStacker().fit_transform(images)
    np.testing.assert_array_equal(vectors, images.reshape(4, 15))
    assert VectorStacker().fit_transform([[1, 2]]).dtype == np.float32


def test_the_shape_is_that_of_fit():
    stacker = VectorStacker().fit([[1, 2, 3]])
    assert stacker.transform([None]).shape == (1, 3)
    with pytest.raises(LoadError, match=r"row 1 .* its shape \(2,\) is not \(3,\)"):
        stacker.transform([[1, 2, 3], [1, 2]])
    lenient = VectorStacker(on_error="missing").fit([[1, 2, 3]])
    assert np.isnan(lenient.transform([[1, 2], [1, 2, 3]])[0]).all()


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [("mean", np.mean), ("max", np.max), ("first", lambda v, axis: v[0])],
)
def test_items_are_pooled_by_row(pooling, pool):
    cells = [PHOTOS[:3], PHOTOS[3:4], None, [], PHOTOS[1:]]
    pooled = PooledEncoder(HOG, pooling).fit_transform(cells)
    for row in (0, 1, 4):
        expected = pool(HOG.fit_transform(cells[row]), axis=0)
        np.testing.assert_allclose(pooled[row], expected, atol=1e-6)
    assert np.isnan(pooled[[2, 3]]).all()


def test_items_that_are_missing_or_broken_do_not_count():
    pooled = PooledEncoder(HOG).fit_transform(
        [[PHOTOS[0], b"broken", None], [PHOTOS[0]], [None, b"broken"]]
    )
    np.testing.assert_array_equal(pooled[0], pooled[1])
    assert np.isnan(pooled[2]).all()


def test_a_cell_that_is_no_list_is_one_item():
    pooled = PooledEncoder(HOG).fit_transform([PHOTOS[0], [PHOTOS[0]]])
    np.testing.assert_array_equal(pooled[0], pooled[1])


def test_errors_name_the_row_of_the_table():
    encoder = PooledEncoder(make_pipeline(ImageLoader(), HOGEncoder()))
    column = pd.Series([PHOTOS[:2], [PHOTOS[0], b"broken"]], index=["a", "b"])
    with pytest.raises(LoadError, match="row b"):
        encoder.fit_transform(column)


def test_the_encoder_may_learn():
    encoder = PooledEncoder(make_pipeline(*HOG, PCA(2)))
    cells = [PHOTOS[:2], PHOTOS[2:]]
    expected = make_pipeline(*HOG, PCA(2)).fit_transform(PHOTOS)
    np.testing.assert_allclose(
        encoder.fit_transform(cells)[0], expected[:2].mean(axis=0), rtol=1e-5
    )
    assert encoder.get_feature_names_out().tolist() == ["pca0", "pca1"]


def test_sparse_vectors_are_pooled():
    pooled = PooledEncoder(TextVectorizer()).fit_transform([["red hat", "red"], None])
    np.testing.assert_allclose(pooled[0].sum(), (2**0.5 + 1) / 2, atol=0.3)
    assert np.isnan(pooled[1]).all()


def test_an_encoder_without_vectors_is_refused():
    with pytest.raises(ValueError, match="must return vectors"):
        PooledEncoder(ImageLoader()).fit_transform([PHOTOS[:2]])


@pytest.mark.parametrize(
    ("n_odd", "modality"), [(0, "vector"), (2, "vector"), (9, "sequence")]
)
def test_few_vectors_of_another_length_are_bad_cells(n_odd, modality):
    cells = [np.ones(3 if row < n_odd else 4) * row for row in range(40)]
    vectorizer = MultimodalVectorizer(on_error="missing")
    vectors = vectorizer.fit_transform({"v": cells})
    assert vectorizer.modalities_ == {"v": modality}
    expected = n_odd if modality == "vector" else 0
    assert np.isnan(vectors).all(axis=1).sum() == expected
