"""Audio is recognised by its first bytes, and named where it cannot be decoded."""

import struct

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    LoadError,
    LoadWarning,
    MultimodalVotingClassifier,
)
from sklearn_mm._columns.column import as_column
from sklearn_mm._modalities.detect import detect_modality

from ..conftest import encode_audio, make_tone

EBML = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm"
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
AUDIO_STREAM = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
VIDEO_STREAM = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
UNSUPPORTED = {
    "M4A": (b"\0\0\0\x1cftypM4A \0\0\2\0M4A isom", "MP4 or M4A"),
    "audiobook": (b"\0\0\0\x1cftypM4B \0\0\2\0M4B isom", "MP4 or M4A"),
    "WebM": (EBML + bytes(50) + b"\x86\x86A_OPUS", "Matroska or WebM"),
    "WMA": (ASF + bytes(99) + AUDIO_STREAM, "WMA"),
    "ADTS": (b"\xff\xf1\x60\x40\x3f\x5f\xfc", "AAC"),
    "ADTS with a tag": (b"ID3\4\0\0\0\0\0\4abcd\xff\xf9\x60\x40\x3f\x5f\xfc", "AAC"),
    "AMR": (b"#!AMR\n\x3c", "AMR"),
    "AMR-WB": (b"#!AMR-WB\n\x3c", "AMR"),
    "APE": (b"MAC \x96\x0f", "Monkey's Audio"),
    "WavPack": (b"wvpk\x28\3\0\0\x10\4", "WavPack"),
    "TTA": (b"TTA1\1\0\1\0", "True Audio"),
    "Musepack": (b"MPCKSH", "Musepack"),
    "DSF": (b"DSD \x1c", "DSD"),
    "MIDI": (b"MThd\0\0\0\6\0\1\0\2", "MIDI, which holds notes"),
    "AC-3": (b"\x0bw\x0d\x95\x8c\x40", "AC-3"),
    "Speex": (b"OggS\0\2" + bytes(20) + b"\1\x50Speex   1.2", "Speex"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_audio_that_cannot_be_decoded_is_named_with_the_way_out(name, tmp_path):
    data, reason = UNSUPPORTED[name]
    data += bytes(600)
    assert detect_modality(as_column([data] * 3, "test"))[0] == "audio"
    file = tmp_path / "cell"
    file.write_bytes(data)
    assert detect_modality(as_column([str(file)] * 3, "test"))[0] == "audio"
    with pytest.raises(LoadError, match=f"format is {reason}.*ffmpeg -i"):
        AudioLoader().transform([data])


def test_a_column_that_cannot_be_decoded_is_named_before_the_fit_fails():
    table = pd.DataFrame({"a": [UNSUPPORTED["M4A"][0] + bytes(600)] * 12})
    audio = make_pipeline(
        AudioLoader(on_error="warn"), AudioStatistics(), LogisticRegression()
    )
    fusion = MultimodalVotingClassifier([("a", audio, "a")])
    with (
        pytest.warns(LoadWarning, match="12 of 12 cells .*\n.* format is MP4 or M4A"),
        pytest.raises(ValueError, match="missing from every row"),
    ):
        fusion.fit(table, [0, 1] * 6)


@pytest.mark.parametrize(
    "data",
    [
        EBML + bytes(50) + b"\x86\x86V_VP9" + bytes(50) + b"\x86\x86A_OPUS",
        ASF + bytes(99) + AUDIO_STREAM + bytes(60) + VIDEO_STREAM,
        b"\0\0\0\x1cftypisom\0\0\2\0isomiso2",
        b"OggS\0\2" + bytes(20) + b"\1\x2a\x80theora",
    ],
)
def test_video_with_sound_is_video(data):
    column = as_column([data + bytes(600)] * 3, "test")
    assert detect_modality(column)[0] == "video"


@pytest.mark.parametrize(
    "container",
    ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "VOC", "FLAC", "OGG"],
)
def test_audio_that_can_be_decoded_is_recognised(container):
    data = encode_audio(make_tone(), container)
    assert detect_modality(as_column([data] * 3, "test"))[0] == "audio"


def test_the_extension_decides_where_the_first_bytes_do_not(tmp_path):
    heads = {
        "a.m4a": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        "a.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        "a.webm": UNSUPPORTED["WebM"][0],
        "a.mka": EBML,
    }
    found = {}
    for name, head in heads.items():
        (tmp_path / name).write_bytes(head + bytes(600))
        column = as_column([str(tmp_path / name)] * 3, "test")
        found[name] = detect_modality(column)[0]
    expected = {"a.m4a": "audio", "a.mp4": "video", "a.webm": "audio", "a.mka": "audio"}
    assert found == expected


def test_texts_and_other_files_are_not_audio():
    utf16 = "a text of several words".encode("utf-16")
    form = b"FORM" + struct.pack(">I", 600) + b"ILBMBMHD" + bytes(600)
    for data in (utf16, form, b"%PDF-1.7" + bytes(600)):
        assert detect_modality(as_column([data] * 3, "test"))[0] != "audio"
