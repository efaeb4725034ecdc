"""Work on a dask cluster, and dask tables."""

import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    CachedEncoder,
    HOGEncoder,
    ImageLoader,
    LoadError,
    MultimodalStackingClassifier,
    MultimodalVotingClassifier,
    NetEncoder,
    TextVectorizer,
    VectorStacker,
    encode_frame,
    predict_frame,
)
from sklearn_mm.datasets import load_av_digits
from sklearn_mm.nets import TabularMLP

from .conftest import encode_image, make_photo

dask = pytest.importorskip("dask")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    """A cluster of two processes on this machine, which are replaced if they die."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(**options, processes=True) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def on_cluster(client):
    """Let joblib run its tasks on the cluster."""
    try:
        client.wait_for_workers(2, timeout=30)
    except TimeoutError:  # a busy machine: dask gave up on replacing a dead worker
        client.cluster.scale(0)
        client.cluster.scale(2)
        client.wait_for_workers(2, timeout=60)
    with parallel_config(backend="dask"):
        yield


@pytest.fixture(scope="module")
def digits():
    X, y = load_av_digits(return_X_y=True)
    rows = np.arange(0, len(X), 4)
    return X.iloc[rows][["image", "audio"]].reset_index(drop=True), y.iloc[rows]


@pytest.fixture(scope="module")
def paths(digits, tmp_path_factory):
    """The digits' images as files."""
    folder = tmp_path_factory.mktemp("digits")
    for row, image in enumerate(digits[0]["image"]):
        (folder / f"{row}.png").write_bytes(encode_image(np.asarray(image)))
    return pd.Series([str(folder / f"{row}.png") for row in range(len(digits[0]))])


class Dies(TransformerMixin, BaseEstimator):
    """Kills its process once, when it first transforms in another process."""

    def __init__(self, marker=None, home=None):
        self.marker = marker
        self.home = home

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        if os.getpid() != self.home:
            try:
                Path(self.marker).touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return X

    def get_feature_names_out(self, input_features=None):
        return input_features

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class Whereabouts(Dies):
    """Returns the id of the process it runs in."""

    def transform(self, X):
        return np.full((len(X), 1), os.getpid(), dtype=np.float32)


def make_fusion(kind=MultimodalVotingClassifier, dies=None, **options):
    image = make_pipeline(
        dies or "passthrough", ImageLoader(), HOGEncoder(), LogisticRegression(C=0.1)
    )
    audio = make_pipeline(
        AudioLoader(8000), AudioStatistics(8000), LogisticRegression(max_iter=20)
    )
    return kind([("image", image, "image"), ("audio", audio, "audio")], **options)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestCluster:
    """joblib's tasks on a cluster of processes."""

    def search(self, dies=None):
        grid = {"image__logisticregression__C": [0.01, 1]}
        return GridSearchCV(make_fusion(dies=dies), grid, cv=2)

    def test_a_grid_search_gives_what_it_gives_here(self, digits, on_cluster):
        X, y = digits
        there = self.search().fit(X, y)
        with parallel_config(backend="threading", n_jobs=1):
            here = self.search().fit(X, y)
        assert_allclose(
            there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
        )
        assert_allclose(there.predict_proba(X), here.predict_proba(X), atol=1e-6)

    @pytest.mark.parametrize(
        "options",
        [
            {"kind": MultimodalVotingClassifier, "weights": "learned", "cv": 2},
            {"kind": MultimodalStackingClassifier, "cv": 2},
        ],
        ids=["voting", "stacking"],
    )
    def test_fits_out_of_fold_survive_a_killed_worker(
        self, options, digits, on_cluster, tmp_path
    ):
        X, y = digits
        dies = Dies(str(tmp_path / "died"), os.getpid())
        there = make_fusion(dies=dies, **options).fit(X, y)
        assert (tmp_path / "died").exists()
        with parallel_config(backend="threading", n_jobs=1):
            here = make_fusion(**options).fit(X, y)
        assert_allclose(there.predict_proba(X), here.predict_proba(X), atol=1e-6)

    def test_a_grid_search_survives_a_killed_worker(self, digits, client, tmp_path):
        X, y = digits
        client.wait_for_workers(2)
        dies = Dies(str(tmp_path / "died"), os.getpid())
        with parallel_config(backend="dask", scatter=[X, y]):
            there = self.search(dies).fit(X, y)
        assert (tmp_path / "died").exists()
        here = self.search().fit(X, y)
        assert_allclose(
            there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
        )

    def test_a_networks_folds_give_what_they_give_here(self, on_cluster):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(80, 300)).astype(np.float32)
        y = np.tile([0, 1], 40)
        X[y == 1] += 1

        def make():
            return NetEncoder(TabularMLP, max_epochs=2, cv=2, random_state=0)

        there = make().fit_transform(X, y)
        with parallel_config(backend="threading", n_jobs=1):
            assert_allclose(there, make().fit_transform(X, y), atol=1e-4)

    def test_batches_are_encoded_on_the_workers(self, on_cluster):
        texts = [f"text {row}" for row in range(40)]
        pids = CachedEncoder(Whereabouts(), batch_size=5).fit_transform(texts)
        assert os.getpid() not in pids
        assert len(np.unique(pids)) <= 2

    def test_encoding_survives_a_killed_worker(self, paths, on_cluster, tmp_path):
        dies = Dies(str(tmp_path / "died"), os.getpid())
        encoder = make_pipeline(ImageLoader(), dies, HOGEncoder())
        there = CachedEncoder(encoder, batch_size=20).fit_transform(paths)
        assert (tmp_path / "died").exists()
        here = make_pipeline(ImageLoader(), HOGEncoder()).fit_transform(paths)
        assert_array_equal(there, here)

    def test_a_broken_file_is_named_with_its_row(self, paths, on_cluster, tmp_path):
        cells = paths.copy()
        cells[33] = str(tmp_path / "broken.png")
        Path(cells[33]).write_bytes(b"no image")
        encoder = make_pipeline(ImageLoader(), HOGEncoder())
        cached = CachedEncoder(encoder, str(tmp_path / "cache"), batch_size=10)
        with pytest.raises(LoadError, match=r"row 33 .*broken\.png"):
            cached.fit(cells)
        assert cached.cache_info()["n_arrays"] == len(cells) - 1  # nothing is lost

    def test_a_table_is_encoded_by_the_workers(self, paths, client, tmp_path):
        dies = Dies(str(tmp_path / "died"), os.getpid())
        encoder = make_pipeline(ImageLoader(), dies, HOGEncoder())
        encoder.fit(paths[:2])
        encode_frame(encoder, dd.from_pandas(paths, npartitions=4)).to_parquet(
            tmp_path / "vectors"
        )
        assert (tmp_path / "died").exists()
        vectors = pd.read_parquet(tmp_path / "vectors")
        here = make_pipeline(ImageLoader(), HOGEncoder()).fit_transform(paths)
        assert_array_equal(vectors.to_numpy(), here)


class Counts(TransformerMixin, BaseEstimator):
    """Notes how many rows it gets at a time."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        SEEN.append(len(X))
        return np.asarray(X)

    def get_feature_names_out(self, input_features=None):
        return ["a", "b"]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


SEEN = []


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(30, 2)), columns=["x", "z"])
    return table.set_index(np.arange(30) * 2 + 100)


class TestFrames:
    """Tables in partitions, in this process."""

    @pytest.fixture(autouse=True)
    def _in_this_process(self):
        with dask.config.set(scheduler="synchronous"):
            yield

    def test_encoding_is_lazy_and_by_partition(self, numbers):
        SEEN.clear()
        frame = encode_frame(Counts(), dd.from_pandas(numbers, npartitions=3))
        assert SEEN == []
        encoded = frame.compute()
        assert sorted(SEEN) == [10, 10, 10]
        assert list(encoded.columns) == ["a", "b"]
        assert_array_equal(encoded.index, numbers.index)
        assert_array_equal(encoded, numbers.to_numpy(np.float32))
        assert (encoded.dtypes == frame.dtypes).all()

    def test_empty_partitions_stay_empty(self, numbers):
        frame = dd.from_pandas(numbers.assign(row=range(30)), npartitions=3)
        frame = frame[frame["row"] > 17][["x", "z"]]  # nothing of the first
        assert len(encode_frame(Counts(), frame).compute()) == 12
        model = Ridge().fit(numbers, numbers["x"])
        assert len(predict_frame(model, frame).compute()) == 12

    @pytest.mark.parametrize("method", ["predict", "predict_proba"])
    @pytest.mark.parametrize("labels", [["no", "yes"], [3, 7]], ids=["str", "int"])
    def test_predictions_are_those_of_the_whole_table(
        self, method, labels, digits, tmp_path
    ):
        X, y = digits
        model = make_fusion().fit(X, np.where(y > 4, *labels))
        table = X.assign(audio=[None, *X["audio"][1:]])
        with dask.config.set({"dataframe.convert-string": False}):
            frame = predict_frame(model, dd.from_pandas(table, npartitions=4), method)
            vectors = frame.compute()
        here = getattr(model, method)(table)
        if method == "predict":
            assert_array_equal(vectors, here)
        else:
            assert_allclose(vectors, here, rtol=1e-4)
            assert list(vectors.columns) == [str(label) for label in labels]
        assert vectors.index.equals(table.index)

    def test_paths_come_from_parquet(self, paths, tmp_path):
        paths.to_frame("image").to_parquet(tmp_path / "paths.parquet")
        frame = dd.read_parquet(tmp_path / "paths.parquet")
        encoder = make_pipeline(ImageLoader(), HOGEncoder()).fit(paths[:1])
        encode_frame(encoder, frame["image"]).to_parquet(tmp_path / "vectors")
        written = pd.read_parquet(tmp_path / "vectors")
        assert_array_equal(written.to_numpy(), encoder.transform(paths))

    def test_bytes_and_arrays_come_from_parquet(self, tmp_path):
        cells = [encode_image(make_photo(seed=seed)) for seed in range(4)]
        vectors = [np.arange(3.0) + seed for seed in range(4)]
        table = pd.DataFrame({"image": [*cells[:3], None], "vector": vectors})
        table.to_parquet(tmp_path / "cells.parquet")
        frame = dd.read_parquet(tmp_path / "cells.parquet")
        encoder = make_pipeline(ImageLoader((16, 16)), HOGEncoder()).fit(cells)
        encoded = encode_frame(encoder, frame["image"]).compute()
        assert_array_equal(encoded, encoder.transform([*cells[:3], None]))
        stacker = VectorStacker().fit(vectors)
        encoded = encode_frame(stacker, frame["vector"]).compute()
        assert_array_equal(encoded, np.stack(vectors))

    def test_several_numbers_per_row_become_columns(self, numbers):
        frame = dd.from_pandas(numbers, npartitions=2)
        both = Ridge().fit(numbers, numbers)
        predictions = predict_frame(both, frame)
        assert list(predictions.columns) == ["0", "1"]
        assert_allclose(predictions.compute(), both.predict(numbers))

    def test_errors_name_the_partition(self, paths, tmp_path):
        cells = paths.copy()
        cells[40] = str(tmp_path / "nothing.png")
        encoder = make_pipeline(ImageLoader(), HOGEncoder()).fit(paths[:1])
        frame = encode_frame(encoder, dd.from_pandas(cells, npartitions=5))
        with pytest.raises(LoadError, match=r"nothing\.png") as caught:
            frame.compute()
        assert "in the partition from index 30 to 59" in caught.value.__notes__

    def test_encoders_that_do_not_return_vectors_are_refused(self, paths):
        frame = dd.from_pandas(paths, npartitions=2)
        with pytest.raises(ValueError, match="one vector per row"):
            encode_frame(ImageLoader(), frame).compute()
        texts = TextVectorizer().fit(paths)
        with pytest.raises(TypeError, match="TruncatedSVD"):
            encode_frame(texts, frame).compute()

    def test_tables_that_are_not_dask_tables_are_refused(self, numbers):
        with pytest.raises(TypeError, match="from_pandas"):
            encode_frame(Counts(), numbers)
        empty = dd.from_pandas(numbers.iloc[:0], npartitions=1)
        with pytest.raises(ValueError, match="no rows"):
            predict_frame(Ridge().fit(numbers, numbers["x"]), empty)
