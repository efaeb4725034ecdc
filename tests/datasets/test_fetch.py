"""The contract of all fetch functions, and MOSI from a local server."""

import hashlib
import inspect
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_mm import datasets
from sklearn_mm.datasets import _fetch_mosi

from .test_av_digits import Server, pack

#: Of each data set: rows, classes, columns of paths; has it a split, has it groups?
SETS = {
    "av_digits": (3000, 10, ["image", "audio"], True, True),
    "emodb": (535, 7, ["audio"], False, True),
    "mosi": (2199, 2, [], True, True),
    "openmoji": (1914, 9, ["image"], False, False),
}


def fetch(name, *args, **kwargs):
    return getattr(datasets, f"fetch_{name}")(*args, **kwargs)


def test_every_fetch_function_is_tested():
    public = {name for name in datasets.__all__ if name.startswith("fetch_")}
    assert public == {f"fetch_{name}" for name in SETS}


@pytest.mark.parametrize("name", SETS)
def test_fetch_functions_have_scikit_learns_parameters(name):
    function = getattr(datasets, f"fetch_{name}")
    parameters = inspect.signature(function).parameters
    defaults = {key: parameter.default for key, parameter in parameters.items()}
    assert defaults == {
        "data_home": None,
        "download_if_missing": True,
        "return_X_y": False,
    }


@pytest.mark.parametrize("name", SETS)
def test_a_bunch_is_what_its_description_says(data_home, name):
    if not (data_home / name).is_dir():
        pytest.skip(f"no {name}")
    n_rows, n_classes, paths, has_split, has_groups = SETS[name]
    bunch = fetch(name, data_home, download_if_missing=False)
    X, y = bunch.data, bunch.target
    assert len(X) == len(y) == n_rows
    assert len(bunch.target_names) == y.nunique() == n_classes
    assert X.columns.tolist() == bunch.feature_names
    pd.testing.assert_frame_equal(bunch.frame, X.assign(**{y.name: y}))
    assert all(f"``{column}``" in bunch.DESCR for column in X)
    assert f"{n_rows:,}" in bunch.DESCR
    assert not bunch.frame.isna().any(axis=None)
    for column in paths:
        assert all(os.path.isabs(path) for path in X[column])
        assert all(os.path.isfile(path) for path in X[column])
    assert ("split" in bunch, "groups" in bunch) == (has_split, has_groups)
    if has_split:
        assert set(bunch.split) == {"train", "test"}
    again, labels = fetch(name, str(data_home), return_X_y=True)
    pd.testing.assert_frame_equal(again, X)
    pd.testing.assert_series_equal(labels, y)


def test_no_review_of_mosi_is_on_both_sides_of_the_split(data_home):
    if not (data_home / "mosi").is_dir():
        pytest.skip("no mosi")
    bunch = datasets.fetch_mosi(data_home)
    assert bunch.split.value_counts().to_dict() == {"train": 1447, "test": 752}
    assert bunch.groups.groupby(bunch.split).nunique().tolist() == [31, 62]
    assert bunch.split.groupby(bunch.groups).nunique().max() == 1


@pytest.mark.parametrize("name", SETS)
def test_absent_data_are_an_error_that_says_what_to_do(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_MM_DATA", str(tmp_path / "absent"))
    with pytest.raises(OSError, match="Set data_home or SKLEARN_MM_DATA") as caught:
        fetch(name, download_if_missing=False)
    assert name in str(caught.value)
    assert "download_if_missing=False" in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["emodb", "openmoji"])
def test_data_that_need_a_program_name_their_source_and_layout(name, tmp_path):
    with pytest.raises(OSError, match=rf"has to be .* {name}/index.csv with the"):
        fetch(name, tmp_path)
    assert os.listdir(tmp_path) == []


def to_csv(rows):
    return "".join(",".join(f'"{v}"' for v in row) + "\n" for row in rows).encode()


def make_source(table, features):
    """Write MOSI as its repository has it: positive utterances first."""
    table = table.sort_values("utterance_id").reset_index()
    columns = ["utterance_id", "text", "video_no", "label"]
    files = {"data/transcripts.csv": to_csv(table[columns].to_numpy())}
    for split in ("train", "test"):
        own = table[table["split"] == split].sort_values(
            "label", ascending=False, kind="stable"
        )
        numbers = [[row, "0.5"] for row in own.index]
        files[f"data/text_{split}.csv"] = to_csv(numbers)
        for part, array in zip(("text", "audio", "video"), features.values()):
            rows = np.column_stack([array[own["index"]].astype(float), own["label"]])
            files[f"data/{part}/{part}_{split}0.csv"] = to_csv(rows)
    return files


def make_mosi():
    names = ["film_2", "film_10", "film_1", "talk_2", "talk_1"]
    table = pd.DataFrame({"utterance_id": names})
    table[["video_id", "segment"]] = [[n[:4], int(n[5:])] for n in names]
    table["video_no"] = [1, 1, 1, 2, 2]
    table["text"] = ["NA", 'IT "WAS", WELL', "GOOD", "BAD", "SO SO"]
    table["label"], table["split"] = [0, 1, 1, 0, 1], ["train"] * 3 + ["test"] * 2
    table = table.sort_values(["video_no", "segment"], ignore_index=True)
    rng = np.random.default_rng(0)
    widths = {"text_cnn": 4, "audio_opensmile": 3, "video_3dcnn": 2}
    return table, {
        name: rng.standard_normal((5, width)).astype("<f4")
        for name, width in widths.items()
    }


def compute_digests(table, features):
    data = {"utterances": table.to_csv(index=False).encode()}
    data.update({name: array.tobytes() for name, array in features.items()})
    return {name: hashlib.sha256(part).hexdigest() for name, part in data.items()}


def escape(files):
    name = "data/transcripts.csv"
    return {**files, name: files[name].replace(b'"WAS"', b'""WAS""')}


@pytest.fixture
def mosi(monkeypatch):
    """A server with a small MOSI, whose digests the package knows."""
    table, features = make_mosi()
    with Server() as server:
        server.repository = escape(make_source(table, features))
        monkeypatch.setattr(_fetch_mosi, "DIGESTS", compute_digests(table, features))
        monkeypatch.setattr(
            _fetch_mosi, "SOURCE", server.put("mosi.zip", pack(server.repository))
        )
        server.table, server.vectors = table, features
        yield server


def test_mosi_is_assembled_from_its_repository_once(mosi, tmp_path):
    bunch = datasets.fetch_mosi(tmp_path)
    again = datasets.fetch_mosi(tmp_path, download_if_missing=False)
    assert mosi.n_requests == 1
    pd.testing.assert_frame_equal(bunch.frame, again.frame)
    assert bunch.data["text"].tolist() == mosi.table["text"].tolist()
    assert bunch.data["segment"].tolist() == [1, 2, 10, 1, 2]
    assert bunch.target.tolist() == mosi.table["label"].tolist()
    assert bunch.split.tolist() == mosi.table["split"].tolist()
    for part, array in zip(("text", "audio", "video"), mosi.vectors.values()):
        cells = bunch.data[f"{part}_features"]
        np.testing.assert_array_equal(np.stack(cells), array)
    assert os.listdir(tmp_path) == ["mosi"]
    assert sorted(os.listdir(tmp_path / "mosi")) == ["features.npz", "utterances.csv"]


def drop(files, name="data/audio/audio_test0.csv"):
    return {key: data for key, data in files.items() if key != name}


def replace(files, old, new, name="data/video/video_train0.csv"):
    return {**files, name: files[name].replace(old, new, 1)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda files: pack(files)[:400], "is not the expected archive"),
        (lambda files: pack(drop(files)), "is not the expected archive: .*audio_test0"),
        (
            lambda files: pack(replace(files, b'"', b'"x')),
            "is not the expected archive",
        ),
        (
            lambda files: pack(replace(files, b"0.", b"7.")),
            "3dcnn .* is not the expected one",
        ),
        (
            lambda files: pack(
                replace(files, b"GOOD", b"FINE", "data/transcripts.csv")
            ),
            "utterances .* is not the expected one",
        ),
    ],
)
def test_an_altered_mosi_leaves_nothing(mosi, tmp_path, change, reason):
    mosi.put("mosi.zip", change(mosi.repository))
    with pytest.raises(OSError, match=reason):
        datasets.fetch_mosi(tmp_path)
    assert os.listdir(tmp_path) == []
    mosi.put("mosi.zip", pack(mosi.repository))
    assert len(datasets.fetch_mosi(tmp_path).data) == 5


def test_the_real_mosi_is_what_the_package_knows_and_rebuilds(
    data_home, tmp_path, monkeypatch
):
    if not (data_home / "mosi").is_dir():
        pytest.skip("no mosi")
    source = data_home / "mosi"
    table = pd.read_csv(source / "utterances.csv", keep_default_na=False)
    with np.load(source / "features.npz") as features:
        features = {name: features[name] for name in features}
    assert compute_digests(table, features) == _fetch_mosi.DIGESTS
    with Server() as server:
        url = server.put("mosi.zip", pack(make_source(table, features)))
        monkeypatch.setattr(_fetch_mosi, "SOURCE", url)
        fetched = datasets.fetch_mosi(tmp_path)
    pd.testing.assert_frame_equal(fetched.frame, datasets.fetch_mosi(data_home).frame)


def test_the_data_home_may_be_a_relative_path(data_home, monkeypatch):
    if not (data_home / "emodb").is_dir():
        pytest.skip("no emodb")
    monkeypatch.chdir(data_home.parent)
    X = datasets.fetch_emodb(data_home.name).data
    assert Path(X["audio"][0]).is_absolute()
