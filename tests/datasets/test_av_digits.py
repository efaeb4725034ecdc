"""Digits: what is shipped, and what is fetched from a server on this machine."""

import gzip
import io
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from sklearn_mm import AudioLoader, ImageLoader
from sklearn_mm.datasets import (
    _fetch_av_digits,
    fetch_av_digits,
    get_data_home,
    load_av_digits,
)

from ..conftest import ROOT, encode_audio, make_tone

DATA = ROOT / "sklearn_mm" / "datasets" / "data"


def test_the_shipped_digits_are_what_their_docstring_says():
    bunch = load_av_digits()
    X, y = bunch.data, bunch.target
    assert X.columns.tolist() == bunch.feature_names == ["image", "audio", "speaker"]
    assert y.value_counts().tolist() == [60] * 10
    assert X["speaker"].nunique() == 12
    assert all(i.shape == (8, 8) and i.dtype == np.uint8 for i in X["image"])
    sounds = AudioLoader(8000).transform(X["audio"])
    seconds = (~np.isnan(sounds)).sum(axis=1) / 8000
    assert 0.2 <= seconds.min() < seconds.max() <= 0.8
    assert bunch.frame.columns.tolist() == [*X.columns, "digit"]
    assert len({image.tobytes() for image in X["image"]}) > 590  # each its own
    assert "espeak-ng" in bunch.DESCR


def test_shipped_images_show_the_spoken_digits():
    from sklearn.datasets import load_digits
    from sklearn.neighbors import KNeighborsClassifier

    pixels, labels = load_digits(return_X_y=True)
    nearest = KNeighborsClassifier(1).fit(np.round(pixels * 255 / 16), labels)
    X, y = load_av_digits(return_X_y=True)
    found = nearest.predict(np.stack(X["image"]).reshape(len(X), -1))
    np.testing.assert_array_equal(found, y)


def test_return_types_follow_the_parameters():
    X, y = load_av_digits(return_X_y=True)
    assert isinstance(X, pd.DataFrame)
    assert isinstance(y, pd.Series)
    bunch = load_av_digits(as_frame=False)
    assert bunch.data.shape == (600, 3)
    assert bunch.frame is None
    np.testing.assert_array_equal(bunch.target, y)


def test_what_is_shipped_is_small():
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 2_000_000


def test_the_data_home_is_the_argument_the_variable_or_a_folder_of_the_user(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("SKLEARN_MM_DATA", str(tmp_path))
    assert get_data_home() == tmp_path
    assert get_data_home("there").name == "there"
    monkeypatch.delenv("SKLEARN_MM_DATA")
    assert get_data_home().name == "sklearn_mm_data"


class Server:
    """Serves what ``files`` holds, and counts the requests."""

    def __enter__(self):
        self.files, self.n_requests = {}, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.n_requests += 1
                body, length = outer.files[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()

    def put(self, name, body, length=None):
        self.files[f"/{name}"] = body, len(body) if length is None else length
        return f"http://127.0.0.1:{self.server.server_port}/{name}"


def pack(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"repository-26eb9aa/{name}", data)
    return file.getvalue()


def pack_images(images):
    header = bytes([0, 0, 8, 3]) + np.array([len(images), 28, 28], ">u4").tobytes()
    return pack({"t10k-images-idx3-ubyte.gz": gzip.compress(header + images.tobytes())})


@pytest.fixture
def server(monkeypatch):
    """A server that has a data set of four pairs, known to the package."""
    rng = np.random.default_rng(0)
    sounds = {f"{d}_ann_0.wav": encode_audio(make_tone(seed=d)) for d in range(4)}
    images = rng.integers(0, 256, (9, 28, 28), dtype=np.uint8)
    digest = _fetch_av_digits.digest
    index = pd.DataFrame(
        {
            "digit": range(4),
            "speaker": "ann",
            "take": 0,
            "split": "test",
            "audio": [f"audio/{name}" for name in sounds],
            "image": [f"image/{d}.png" for d in range(4)],
            "mnist_test_index": [7, 0, 3, 8],
            "audio_digest": [digest(data) for data in sounds.values()],
            "image_digest": [digest(images[i].tobytes()) for i in [7, 0, 3, 8]],
        }
    )
    with Server() as server:
        server.audio = pack({f"recordings/{k}": v for k, v in sounds.items()})
        server.image = pack_images(images)
        server.images, server.sounds = images, sounds
        urls = {
            "audio": server.put("audio.zip", server.audio),
            "image": server.put("image.zip", server.image),
        }
        monkeypatch.setattr(_fetch_av_digits, "SOURCES", urls)
        monkeypatch.setattr(_fetch_av_digits, "read_index", lambda: index)
        yield server


def test_data_are_downloaded_once_and_read_afterwards(server, tmp_path):
    X, y = fetch_av_digits(tmp_path, return_X_y=True)
    assert server.n_requests == 2
    again, _ = fetch_av_digits(tmp_path, download_if_missing=False, return_X_y=True)
    assert server.n_requests == 2
    pd.testing.assert_frame_equal(X, again)
    assert y.tolist() == [0, 1, 2, 3]
    images = ImageLoader(scale=False).transform(X["image"])
    np.testing.assert_array_equal(images, server.images[[7, 0, 3, 8]])
    assert Path(X["audio"][2]).read_bytes() == server.sounds["2_ann_0.wav"]
    assert os.listdir(tmp_path) == ["av_digits"]


def alter(data):
    """Change a recording in a valid archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {n.split("/", 1)[1]: archive.read(n) for n in archive.namelist()}
    first = next(iter(members))
    members[first] = members[first][:-2] + b"\1\1"
    return pack(members)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("audio", alter, "1 of 4 files .* among them audio/0_ann_0.wav"),
        ("audio", lambda data: data[: len(data) // 2], "not the expected archive"),
        (
            "audio",
            lambda data: pack({"recordings/x.wav": b""}),
            "not the expected archive",
        ),
        ("image", lambda data: pack_images(np.ones((9, 28, 28), np.uint8)), "4 of 4"),
        ("image", lambda data: pack_images(np.ones((2, 28, 28), np.uint8)), "4 of 4"),
        ("image", lambda data: pack({"t10k-images-idx3-ubyte.gz": b"no"}), "not the"),
    ],
)
def test_an_altered_download_leaves_nothing(server, tmp_path, name, change, reason):
    server.put(f"{name}.zip", change(getattr(server, name)))
    with pytest.raises(OSError, match=reason):
        fetch_av_digits(tmp_path)
    assert os.listdir(tmp_path) == []
    server.put(f"{name}.zip", getattr(server, name))
    assert len(fetch_av_digits(tmp_path).data) == 4


def test_an_interrupted_download_leaves_nothing(server, tmp_path):
    server.put("image.zip", server.image[:500], length=len(server.image))
    with pytest.raises(OSError, match="could not be downloaded"):
        fetch_av_digits(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_killed_download_leaves_no_half_data_set(server, tmp_path):
    (tmp_path / ".av_digits-killed" / "av_digits").mkdir(parents=True)
    assert len(fetch_av_digits(tmp_path).data) == 4
    assert (tmp_path / "av_digits" / "index.csv").exists()


def test_no_network_and_no_data_say_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(OSError, match="download_if_missing=False"):
        fetch_av_digits(tmp_path, download_if_missing=False)
    dead = dict.fromkeys(("audio", "image"), "http://127.0.0.1:9/nothing.zip")
    monkeypatch.setattr(_fetch_av_digits, "SOURCES", dead)
    with pytest.raises(OSError, match="set data_home or SKLEARN_MM_DATA"):
        fetch_av_digits(tmp_path)


def test_the_real_data_are_those_the_package_knows(data_home):
    if not (data_home / "av_digits").is_dir():
        pytest.skip("no av_digits")
    bunch = fetch_av_digits(data_home, download_if_missing=False)
    assert bunch.data.shape == (3000, 5)
    index = _fetch_av_digits.read_index()
    for row in range(0, 3000, 37):
        image = cv2.imread(bunch.data["image"][row], cv2.IMREAD_UNCHANGED)
        assert _fetch_av_digits.digest(image.tobytes()) == index["image_digest"][row]
        sound = Path(bunch.data["audio"][row]).read_bytes()
        assert _fetch_av_digits.digest(sound) == index["audio_digest"][row]


@pytest.mark.slow
def test_the_real_data_are_rebuilt_from_archives(data_home, tmp_path, monkeypatch):
    source = data_home / "av_digits"
    if not source.is_dir():
        pytest.skip("no av_digits")
    index = _fetch_av_digits.read_index()
    images = np.zeros((10000, 28, 28), dtype=np.uint8)
    for name, position in zip(index["image"], index["mnist_test_index"]):
        images[position] = cv2.imread(str(source / name), cv2.IMREAD_UNCHANGED)
    sounds = {
        name.replace("audio/", "recordings/"): (source / name).read_bytes()
        for name in index["audio"]
    }
    with Server() as server:
        urls = {
            "audio": server.put("audio.zip", pack(sounds)),
            "image": server.put("image.zip", pack_images(images)),
        }
        monkeypatch.setattr(_fetch_av_digits, "SOURCES", urls)
        fetched = fetch_av_digits(tmp_path)
    original = fetch_av_digits(data_home)
    assert fetched.target.tolist() == original.target.tolist()
    for column in ("speaker", "take", "split"):
        assert fetched.data[column].tolist() == original.data[column].tolist()
    np.testing.assert_array_equal(
        ImageLoader().transform(fetched.data["image"]),
        ImageLoader().transform(original.data["image"]),
    )


def test_loading_needs_no_audio_library_nor_opencv():
    code = (
        "from sklearn_mm.datasets import load_av_digits; load_av_digits(); import sys;"
        "assert not {'torch', 'cv2', 'soundfile', 'pooch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
