"""What a cell may name: files within a root, regular ones, of bounded size."""

import os
import time

import fsspec
import numpy as np
import pytest

from sklearn_mm import AudioLoader, ImageLoader, LoadError

from ..conftest import encode_audio, encode_image, make_photo, make_tone

LOADERS = {
    "image": (ImageLoader(), encode_image(make_photo()), "a.png"),
    "audio": (AudioLoader(8000), encode_audio(make_tone()), "a.wav"),
}


@pytest.fixture(params=LOADERS)
def files(request, tmp_path):
    """A loader, a root that holds one good file, and that file's name and bytes."""
    loader, data, name = LOADERS[request.param]
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / name).write_bytes(data)
    (tmp_path / "secret").write_bytes(data)
    return loader, root, name, data


def refuse(loader, cell, reason):
    with pytest.raises(LoadError, match=reason):
        loader.transform([cell])


def test_paths_and_bytes_give_the_same(files, monkeypatch):
    loader, root, name, data = files
    expected = loader.transform([data])
    monkeypatch.chdir(root)
    for cell in (root / name, str(root / name), name, bytearray(data)):
        np.testing.assert_array_equal(loader.transform([cell]), expected)
    rooted = type(loader)(**{**loader.get_params(), "root": root})
    np.testing.assert_array_equal(rooted.transform([name]), expected)
    np.testing.assert_array_equal(rooted.transform([f"sub/../{name}"[7:]]), expected)


def test_root_confines_paths(files):
    loader, root, name, _ = files
    loader = type(loader)(**{**loader.get_params(), "root": root})
    os.symlink(root.parent / "secret", root / "link")
    os.symlink(root.parent, root / "sub" / "up")
    os.symlink(root / name, root / "inside")
    refuse(loader, str(root / name), "must be relative")
    refuse(loader, "../secret", "without '..'")
    refuse(loader, f"sub/../{name}", "without '..'")
    refuse(loader, "link", "symbolic link")
    refuse(loader, "sub/up/secret", "symbolic link")
    assert np.isfinite(loader.transform(["inside"])).any()


def test_only_regular_files_are_opened(files):
    loader, root, _, _ = files
    os.mkfifo(root / "pipe")
    start = time.monotonic()
    refuse(loader, root / "pipe", "not a regular file")
    refuse(loader, "/dev/zero", "not a regular file")
    refuse(loader, root, "folder")
    assert time.monotonic() - start < 60, "opening a pipe blocked"


def test_urls_and_nul_bytes_are_refused(files):
    loader, _, _, _ = files
    refuse(loader, "https://example.org/a.png", "URL is not opened")
    refuse(loader, "file:///etc/passwd", "URL is not opened")
    refuse(loader, "a\0b", "NUL")


def test_missing_empty_and_large_files_are_refused(files):
    loader, root, name, data = files
    (root / "empty").touch()
    refuse(loader, root / "nowhere", "No such file")
    refuse(loader, root / "empty", "empty")
    refuse(loader, b"", "empty")
    bounded = type(loader)(**{**loader.get_params(), "max_bytes": len(data) - 1})
    refuse(bounded, root / name, "exceed max_bytes")
    refuse(bounded, data, "exceed max_bytes")
    bounded.set_params(max_bytes=len(data)).transform([root / name, data])


def test_a_filesystem_of_the_users_own_opens_paths(files):
    loader, _, name, data = files
    memory = fsspec.filesystem("memory")
    memory.pipe(f"/shelf/{name}", data)
    expected = loader.transform([data])
    loader = type(loader)(**{**loader.get_params(), "filesystem": memory})
    for cell in (f"/shelf/{name}", f"memory://shelf/{name}"):
        np.testing.assert_array_equal(loader.transform([cell]), expected)
    loader.set_params(root="/shelf")
    np.testing.assert_array_equal(loader.transform([name]), expected)
    refuse(loader, "../other", "without '..'")
    refuse(loader.set_params(max_bytes=10), name, "exceed max_bytes")
