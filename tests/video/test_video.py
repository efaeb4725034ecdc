"""Videos: which frames are read, and what damaged and hostile files come to."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    CachedEncoder,
    HOGEncoder,
    LoadError,
    NetClassifier,
    PooledEncoder,
    VideoLoader,
)
from sklearn_mm.nets import SequenceRNN

from ..conftest import CODECS, encode_video, make_clip


def read_numbers(frames):
    """Read the numbers that ``make_clip`` writes into its frames."""
    frames = frames[~np.isnan(frames).any(axis=(1, 2))]
    bits = (
        frames[:, 1:7].reshape(len(frames), 6, 8, 8)[..., 2:6].mean(axis=(1, 3)) > 0.5
    )
    return (bits << np.arange(8)).sum(axis=1).tolist()


def load(cell, n_frames=8, **options):
    return VideoLoader(n_frames, (48, 64), **options).fit_transform([cell])[0]


@pytest.mark.parametrize("container", [*CODECS, "array"])
def test_frames_are_the_middles_of_equal_parts(container):
    clip = make_clip(40)
    cell = clip if container == "array" else encode_video(clip, container)
    assert read_numbers(load(cell, 4)) == [5, 15, 25, 35]
    assert read_numbers(load(cell, 3)) == [6, 20, 33]
    assert read_numbers(load(cell, 4, sampling="middle")) == [18, 19, 20, 21]
    assert read_numbers(load(cell, 40)) == list(range(40))
    short = load(cell, 50)
    assert read_numbers(short) == list(range(40))
    assert np.isnan(short[40:]).all()


@pytest.mark.parametrize("container", CODECS)
def test_frames_far_apart_are_found(container):
    clip = make_clip(256, 16, 64)
    frames = VideoLoader(2, (16, 64)).transform([encode_video(clip, container)])[0]
    assert read_numbers(frames) == [64, 192]


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_pixels_are_those_of_the_frames(color):
    clip = make_clip(8)
    frames = load(encode_video(clip), color=color)
    expected = clip / 255
    if color == "gray":
        expected = expected @ [0.299, 0.587, 0.114]
    error = np.abs(frames - expected)[:, 8:]  # the bits have sharp edges
    assert error.mean() < (0.01 if color == "gray" else 0.02)  # JPEG thins out colours
    assert np.abs(load(clip, color=color) - expected).max() < 0.003
    raw = load(clip, color=color, scale=False)
    np.testing.assert_allclose(raw / 255, load(clip, color=color), atol=1e-6)


def test_paths_are_confined_and_urls_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a%02d.avi").write_bytes(encode_video(make_clip()))
    (tmp_path / "out.avi").write_bytes(encode_video(make_clip()))
    os.symlink(tmp_path / "out.avi", tmp_path / "in" / "link.avi")
    loader = VideoLoader(root=tmp_path / "in")
    assert np.isfinite(loader.fit_transform(["a%02d.avi"])).all()
    column = ["../out.avi", str(tmp_path / "out.avi"), "link.avi", "http://x/a.avi"]
    with pytest.raises(LoadError) as caught:
        loader.fit_transform(column)
    assert len(caught.value.failures) == 4
    with pytest.raises(LoadError, match="URL"):
        VideoLoader().fit_transform(["rtsp://host/stream"])


def test_playlists_and_what_else_ffmpeg_would_follow_are_refused(tmp_path):
    secret = tmp_path / "secret.avi"
    secret.write_bytes(encode_video(make_clip()))
    playlist = f"#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"
    concat = f"ffconcat version 1.0\nfile '{secret}'\n"
    for text in (playlist, concat, "v=0\no=- 0 0 IN IP4 127.0.0.1\n"):
        with pytest.raises(LoadError, match="not a video file"):
            VideoLoader().fit_transform([text.encode()])


def test_bounds_are_checked_before_frames_are_decoded(monkeypatch):
    cell = encode_video(make_clip(50))
    monkeypatch.setattr("sklearn_mm.video._frames._grab_frames", None)
    for options, match in (
        ({"max_seconds": 1.9}, "2.0 s exceed max_seconds=1.9"),
        ({"max_pixels": 48 * 64 - 1}, "64x48 pixels exceed max_pixels"),
        ({"max_bytes": 1000}, "exceed max_bytes"),
    ):
        with pytest.raises(LoadError, match=match):
            load(cell, **options)
    with pytest.raises(LoadError, match="not callable"):
        load(cell, max_seconds=2, max_pixels=48 * 64)


@pytest.mark.parametrize("container", CODECS)
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.8])
def test_a_file_that_is_cut_off_is_named(container, share):
    data = encode_video(make_clip(60), container)
    data = data[: max(1, int(len(data) * share))]
    with pytest.raises(LoadError, match="row 0.*(cut off|no video)"):
        load(data)
    frames = load(data, on_error="missing")
    assert frames.shape == (8, 48, 64)
    assert np.isnan(frames).all()


def test_a_header_that_overstates_a_little_is_believed_a_little():
    data = encode_video(make_clip(60), "avi")
    frames = load(data[: int(len(data) * 0.96)], 8)
    numbers = read_numbers(frames)
    assert len(numbers) == 8
    assert 50 <= numbers[-1] < 58


MUTATE = """
import sys
from pathlib import Path
import numpy as np
from sklearn_mm import VideoLoader
rng = np.random.default_rng(0)
good = {path.suffix[1:]: path.read_bytes() for path in Path(sys.argv[1]).iterdir()}
loader = VideoLoader(4, (16, 16), on_error="missing", max_seconds=60, max_pixels=2**20)
clean = loader.transform([good["avi"]])
for container, data in good.items():
    column = []
    for _ in range(60):
        bad = bytearray(data)
        for place in rng.integers(0, len(bad), rng.integers(1, 20)):
            bad[place] = rng.integers(256)
        column += [bytes(bad), good["avi"]]
    loaded = loader.transform(column)
    assert (loaded[1::2] == clean).all()
"""


def test_damaged_files_end_no_process_move_no_row_and_print_nothing(tmp_path):
    for container in CODECS:
        path = tmp_path / f"clip.{container}"
        path.write_bytes(encode_video(make_clip(12), container))
    command = [sys.executable, "-c", MUTATE, tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stderr == ""


def test_videos_are_learnt_from_by_pooling_and_by_recurrence(tmp_path):
    rows = range(16)
    clips = []
    for row in rows:
        clip = np.zeros((10, 32, 32), dtype=np.uint8)
        for time in range(10):  # a bar that moves to the right, or down
            clip[time, :, 3 * time : 3 * time + 4] = 200 + row
        clips.append(clip if row % 2 else clip.transpose(0, 2, 1))
    cells = [encode_video(np.repeat(clip[..., None], 3, axis=3)) for clip in clips]
    y = np.arange(16) % 2
    loader = CachedEncoder(VideoLoader(5, (28, 28)), tmp_path)
    pooled = make_pipeline(
        loader, PooledEncoder(HOGEncoder(), split_arrays=True), LogisticRegression()
    )
    assert pooled.fit(cells[:10], y[:10]).score(cells[10:], y[10:]) == 1
    net = NetClassifier(SequenceRNN, max_epochs=15, random_state=0)
    recurrent = make_pipeline(loader, net).fit(cells[:10], y[:10])
    assert recurrent.score(cells[10:], y[10:]) > 0.8


def test_other_kinds_of_cells_are_refused():
    with pytest.raises(LoadError, match="of shape"):
        VideoLoader().fit_transform([np.ones(4)])
    with pytest.raises(ValueError, match="height, width"):
        VideoLoader(size=(0, 4)).fit_transform([make_clip()])


def test_opencv_stays_as_it_was():
    before = cv2.getNumThreads(), dict(os.environ)
    VideoLoader(n_jobs=2).fit_transform([encode_video(make_clip())] * 40)
    assert (cv2.getNumThreads(), dict(os.environ)) == before


def test_the_frames_of_a_clip_of_integers_are_scaled_alike():
    clip = np.arange(40).reshape(10, 2, 2)  # whose first frames might be masks
    for most in (40, 4000):
        wide = clip * (most // 40)
        narrow = wide.astype(np.uint8 if most < 256 else np.uint16)
        loaded = VideoLoader(10, (2, 2)).transform([wide, narrow])
        np.testing.assert_array_equal(loaded[0], loaded[1])


def test_a_list_of_pil_images_is_a_clip_and_a_single_one_is_none():
    clip = make_clip(6)
    frames = [Image.fromarray(frame).quantize(64) for frame in clip]
    seen = np.stack([np.asarray(frame.convert("RGB")) for frame in frames])
    loaded = VideoLoader(6, (48, 64), "rgb").transform([frames, seen])
    np.testing.assert_array_equal(loaded[0], loaded[1])
    with pytest.raises(LoadError, match="expected a path, bytes, or an array"):
        VideoLoader().transform([frames[0].convert("RGB")])
    with pytest.raises(LoadError, match="no frames"):
        VideoLoader().transform([clip[:0]])
