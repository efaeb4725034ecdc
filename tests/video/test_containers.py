"""What containers say of their videos: edit lists, counts, codecs, tracks."""

import struct

import numpy as np
import pytest

from sklearn_mm import ImageLoader, LoadError, VideoLoader
from sklearn_mm._modalities.detect import sniff

from ..conftest import encode_audio, encode_video, make_clip, make_tone
from .test_video import read_numbers

RATE = 10


def load(cell, n_frames):
    return VideoLoader(n_frames, (48, 64)).transform([cell])[0]


def make_box(kind, *parts):
    content = b"".join(parts)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def split_boxes(data):
    """Return the content of each box by its kind, in order."""
    boxes, position = {}, 0
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        boxes[kind] = data[position + 8 : position + size]
        position += size
    return boxes


def edit(data, edits, version=0):
    """Write an edit list of (first frame, number of frames) into an MP4."""
    boxes = split_boxes(data)
    movie = split_boxes(boxes[b"moov"])
    track = split_boxes(movie[b"trak"])
    media = split_boxes(track[b"mdia"])
    (media_scale,) = struct.unpack_from(">I", media[b"mdhd"], 12)
    (movie_scale,) = struct.unpack_from(">I", movie[b"mvhd"], 12)
    kind = ">QqI" if version else ">IiI"
    entries = [
        struct.pack(
            kind,
            round(n_frames * movie_scale / RATE),
            -1 if first is None else round(first * media_scale / RATE),
            1 << 16,
        )
        for first, n_frames in edits
    ]
    head = struct.pack(">BxxxI", version, len(entries))
    track[b"edts"] = make_box(b"elst", head, *entries)
    movie[b"trak"] = b"".join(make_box(kind, track[kind]) for kind in track)
    boxes[b"moov"] = b"".join(make_box(kind, movie[kind]) for kind in movie)
    assert list(boxes)[-1] == b"moov"  # so that the offsets of samples stay
    return b"".join(make_box(kind, boxes[kind]) for kind in boxes)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ([(12, 28)], range(12, 40)),  # the beginning is hidden
        ([(0, 25)], range(25)),  # the end is hidden
        ([(13, 10)], range(13, 23)),  # both are
        ([(None, 5), (12, 28)], range(12, 40)),  # after a pause
        ([(0, 40)], range(40)),
    ],
)
def test_only_the_frames_that_an_edit_list_shows_are_read(
    container, edits, shown, version
):
    data = edit(encode_video(make_clip(40), container, RATE), edits, version)
    numbers = read_numbers(load(data, 60))
    assert numbers == list(shown)
    parts = (np.arange(4) + 0.5) * len(shown) / 4
    assert read_numbers(load(data, 4)) == [shown[int(part)] for part in parts]


def test_a_cut_video_that_is_cut_off_is_refused():
    data = edit(encode_video(make_clip(200), "mp4", RATE), [(30, 170)])
    boxes = split_boxes(data)
    half = len(boxes[b"mdat"]) // 2
    zeroed = data.replace(boxes[b"mdat"][half:], bytes(len(boxes[b"mdat"]) - half))
    with pytest.raises(LoadError, match=r"damaged or cut off: \d+ of 170"):
        load(zeroed, 4)


def test_a_file_whose_end_is_missing_is_not_sought_beyond_it():
    clip = make_clip(250, 16, 64)
    boxes = split_boxes(encode_video(clip, "mp4", RATE))
    moov = make_box(b"moov", boxes.pop(b"moov"))
    # To the front, where a file that is cut off keeps it: offsets grow by its size.
    place = moov.index(b"stco") + 8
    (n_chunks,) = struct.unpack_from(">I", moov, place)
    offsets = np.frombuffer(moov, ">u4", n_chunks, place + 4) + len(moov)
    end = place + 4 + 4 * n_chunks
    moov = moov[: place + 4] + offsets.astype(">u4").tobytes() + moov[end:]
    head, *rest = (make_box(kind, boxes[kind]) for kind in boxes)
    data = b"".join([head, moov, *rest])
    loader = VideoLoader(2, (16, 64))
    assert read_numbers(loader.transform([data])[0]) == [62, 187]
    with pytest.raises(LoadError, match="damaged or cut off"):
        loader.transform([data[: int(0.6 * len(data))]])


def overwrite(data, marker, offset, value):
    data = bytearray(data)
    struct.pack_into("<I", data, data.index(marker) + offset, value)
    return bytes(data)


@pytest.mark.parametrize("count", [0, 5, 90, 4000])
def test_the_frames_of_an_avi_are_counted_where_its_header_is_wrong(count):
    data = encode_video(make_clip(150, 16, 64), "avi", RATE)
    data = overwrite(overwrite(data, b"avih", 24, count), b"strh", 40, count)
    loader = VideoLoader(2, (16, 64), max_seconds=20)
    assert read_numbers(loader.transform([data])[0]) == [37, 112]
    if count == 4000:
        with pytest.raises(LoadError, match="damaged or cut off"):
            VideoLoader(2, max_seconds=None).transform([data[: len(data) // 2]])


@pytest.mark.parametrize(
    ("container", "codec", "match"),
    [
        ("mp4", b"av01", "'av01' .AV1.*libx264"),
        ("mov", b"aprn", "'aprn' .ProRes RAW.*libx264"),
        ("mp4", b"zzzz", "'zzzz'.*libx264"),
        ("mp4", b"encv", "encrypted"),
        ("avi", b"AV01", "'av01' .AV1.*libx264"),
    ],
)
def test_a_codec_that_opencv_lacks_is_named_with_the_way_out(container, codec, match):
    usual = {"avi": b"MJPG"}.get(container, b"mp4v")
    data = encode_video(make_clip(12), container).replace(usual, codec)
    data = data.replace(b"esds", b"free")  # which names the codec once more
    with pytest.raises(LoadError, match=match) as caught:
        load(data, 4)
    assert "damaged" not in str(caught.value)


def test_a_file_without_video_is_said_to_have_none():
    data = encode_video(make_clip(12), "mp4")
    for silent in (
        data.replace(b"vide", b"soun"),
        encode_audio(make_tone(), "OGG"),
    ):
        with pytest.raises(LoadError, match="has no video track"):
            load(silent, 4)


@pytest.mark.parametrize("brand", [b"avif", b"avis", b"heic", b"mif1"])
def test_images_in_the_container_of_mp4_are_images(brand):
    data = b"\0\0\0\x18ftyp" + brand + bytes(100)
    assert sniff(data) == "image"
    with pytest.raises(LoadError, match="ImageLoader"):
        load(data, 4)
    video = encode_video(make_clip(2), "mp4")
    assert sniff(video[:512]) == "video"
    with pytest.raises(LoadError, match="not a JPEG.*VideoLoader"):
        ImageLoader().transform([video])
