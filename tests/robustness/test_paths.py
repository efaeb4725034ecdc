"""What a cell's path may name, for all that opens cells; see also test_files.py."""

import os
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from torch.nn import AvgPool2d

from sklearn_mm import (
    AudioLoader,
    CachedEncoder,
    HOGEncoder,
    ImageLoader,
    LoadError,
    PooledEncoder,
    PretrainedAudioEncoder,
    PretrainedImageEncoder,
    VideoLoader,
)
from sklearn_mm._columns.column import as_column
from sklearn_mm._modalities.detect import detect_modality

from ..conftest import (
    encode_audio,
    encode_image,
    encode_video,
    make_clip,
    make_photo,
    make_tone,
)

PHOTO = encode_image(make_photo(), "JPEG")
TONE = encode_audio(make_tone())


class Loudness:
    """What a pretrained encoder of sounds calls; no model is needed for paths."""

    sampling_rate, n_features = 8000, 1

    def encode(self, samples):
        return np.array([[np.abs(sample).mean()] for sample in samples])


class LoudnessEncoder(PretrainedAudioEncoder):
    def __init__(self, loader=None):
        super().__init__(loader=loader)

    def _share(self):
        return Loudness()


def make_cached(key):
    def make(**options):
        return CachedEncoder(ImageLoader(**options), key=key)

    return make


#: What opens cells, and a good file for it.
OPENERS = {
    "ImageLoader": (ImageLoader, PHOTO),
    "AudioLoader": (lambda **options: AudioLoader(8000, **options), TONE),
    "VideoLoader": (VideoLoader, encode_video(make_clip(4))),
    "PretrainedImageEncoder": (
        lambda **options: PretrainedImageEncoder(
            AvgPool2d(8), input_size=32, loader=ImageLoader(**options)
        ),
        PHOTO,
    ),
    "PretrainedAudioEncoder": (
        lambda **options: LoudnessEncoder(AudioLoader(8000, **options)),
        TONE,
    ),
    "CachedEncoder-stat": (make_cached("stat"), PHOTO),
    "CachedEncoder-content": (make_cached("content"), PHOTO),
    "PooledEncoder": (
        lambda **options: PooledEncoder(
            make_pipeline(ImageLoader(**options), HOGEncoder())
        ),
        PHOTO,
    ),
}
#: Paths that are refused, with the reason, under root= and without it.
ROOTED = {
    "{root}/good": "must be relative",
    "/dev/zero": "must be relative",
    "../outside": "without '..'",
    "folder/../good": "without '..'",
    "link": "symbolic link",
    "linked/outside": "symbolic link",
    "device": "symbolic link",
}
ANYWHERE = {
    "pipe": "not a regular file",
    "socket": "not a regular file",
    "folder": "folder",
    "loop": "symbolic links|symbolic link",
    "good/good": "Not a directory|No such file",
    "": "No such file|folder",
    "x." * 5_000: "File name too long",
    "a\0b": "NUL",
    "http://host/good": "URL",
    "file:///etc/hostname": "URL",
    "C:\\good": "No such file|relative",
    "..\\outside": "No such file|without",
    "\\\\host\\share\\good": "No such file|relative",
}
UNROOTED = {"/dev/zero": "not a regular", "/dev/null": "not a regular"}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs pipes and links")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of all that is no file, with what is outside of it."""
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "linked").symlink_to(tmp_path)
    (root / "device").symlink_to("/dev/zero")
    (root / "loop").symlink_to("loop")
    monkeypatch.chdir(root)  # a socket's name may be a hundred characters long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        yield root


def without_blocking(action):
    """Run in a thread, so that a pipe that is opened fails the test and ends."""
    results = []

    def run():
        try:
            results.append(action())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "opening a path blocked"
    return results[0]


@pytest.mark.parametrize("name", OPENERS)
@pytest.mark.parametrize("rooted", [True, False])
def test_bad_paths_are_refused_and_other_rows_unharmed(name, rooted, root):
    make, data = OPENERS[name]
    for place in (root / "good", root.parent / "outside"):
        place.write_bytes(data)
    reasons = ANYWHERE | (ROOTED if rooted else UNROOTED)
    bad = [path.format(root=root) for path in reasons]
    column = ["good", *(path for cell in bad for path in (cell, "good"))]
    if name == "PooledEncoder":
        column = [[path] for path in column]
    options = {"root": root} if rooted else {}
    encoder = make(**options)
    error = without_blocking(lambda: encoder.fit_transform(column))
    assert isinstance(error, LoadError), error
    assert [row for row, _, _ in error.failures] == list(range(1, len(column), 2))
    for (_, source, found), reason in zip(error.failures, reasons.values()):
        assert any(part in found for part in reason.split("|")), (source, found)
        assert len(source) < 300
    forgiving = make(on_error="missing", **options)
    loaded = without_blocking(lambda: forgiving.fit_transform(column))
    (clean,) = clone(encoder).fit_transform(column[:1])
    assert np.isnan(loaded[1::2]).all()
    np.testing.assert_array_equal(loaded[::2], [clean] * len(column[::2]))


def test_paths_that_are_bytes_to_the_system_are_paths(root):
    (root / "good").write_bytes(PHOTO)
    os.link(root / "good", os.fsencode(root) + b"/\xff\xfe")  # no UTF-8

    class Path:
        def __fspath__(self):
            return b"\xff\xfe"

    expected = ImageLoader().transform(["good"])
    for loader in (ImageLoader(), ImageLoader(root=root)):
        np.testing.assert_array_equal(loader.transform([Path()]), expected)
        loaded = loader.transform([os.fsdecode(b"\xff\xfe")])
        np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize("rooted", [True, False])
@pytest.mark.parametrize(
    "path", [*ANYWHERE, *UNROOTED, *ROOTED], ids=lambda path: ascii(path[:20])
)
def test_detection_opens_no_bad_path(path, rooted, root):
    (root.parent / "outside").write_bytes(TONE)
    column = as_column([path.format(root=root)] * 9, "")
    folder = root if rooted else None
    modality, _ = without_blocking(lambda: detect_modality(column, folder))
    opened = not rooted and path in ("link", "linked/outside", "../outside")
    assert modality == ("audio" if opened else "category")


def test_a_key_by_content_reads_no_more_than_the_loader_may(root):
    large = root / "large"
    with large.open("wb") as file:
        file.truncate(2**40)  # a hole
    loader = ImageLoader(max_bytes=10**6, on_error="missing")
    encoder = CachedEncoder(loader, key="content")
    assert np.isnan(encoder.fit_transform([str(large), Path(root)])).all()
    (root / "good").write_bytes(PHOTO)
    outside = CachedEncoder(ImageLoader(root="folder"), key="content")
    with pytest.raises(LoadError, match="must be relative"):
        outside.fit_transform([root / "good"])
