"""Say why no frame of a video can be decoded."""

import re

#: Codecs that every FFmpeg of OpenCV decodes: a file of theirs is damaged.
_COMMON = {
    *("h264", "avc1", "avc3", "x264", "hevc", "hvc1", "hev1", "h265", "mp4v", "fmp4"),
    *("mpeg4", "mpeg1", "mpeg2", "vp8", "vp9", "theora"),
    *("xvid", "divx", "dx50", "mp42", "mp43", "mjpg", "mjpa", "jpeg", "vp80", "vp90"),
    *("vp08", "vp09", "mpg1", "mpg2", "mpeg", "flv1", "theo", "wmv1", "wmv2", "gif"),
}
_NAMES = {
    "av01": "AV1",
    "av1": "AV1",
    "vvc1": "H.266",
    "vvi1": "H.266",
    "aprn": "ProRes RAW",
    "aprh": "ProRes RAW",
}
_ENCRYPTED = ("encv", "drmi")
#: Patterns of an audio and of a video track in the first bytes of a file.
_TRACKS = {
    "Matroska": (rb"\x86[\x81-\xff]A_", rb"\x86[\x81-\xff]V_"),
    "AVI": (rb"strh....auds", rb"strh....vids"),
    "Ogg": (rb"\x01vorbis|OpusHead|\x7fFLAC|Speex", rb"\x80theora|OVP80|BBCD"),
    "FLV": (rb"FLV.[\x04\x05]", rb"FLV.[\x01\x05]"),
    "ASF": (rb"\x40\x9e\x69\xf8\x4d\x5b\xcf\x11", rb"\xc0\xef\x19\xbc\x4d\x5b\xcf\x11"),
}
#: Patterns of the name of a codec, for files that FFmpeg does not open.
_CODECS = {
    "Matroska": rb"\x86[\x81-\xff]V_([A-Z0-9]+)",
    "AVI": rb"strf....\x28\0\0\0.{12}(....)",
}
_N_BYTES = 2**16


def describe_failure(path, container, codec):
    """Say why no frame of a video can be decoded.

    Parameters
    ----------
    path : str
        The file.
    container : str
        Name of its container.
    codec : str
        Four characters that name its codec, or "" if they are unknown.

    Returns
    -------
    str
        The reason, and what helps.
    """
    with open(path, "rb") as file:
        head = file.read(_N_BYTES)
    audio, video = _TRACKS.get(container, (b"(?!)", b""))
    if re.search(audio, head, re.DOTALL) and not re.search(video, head, re.DOTALL):
        return "it has no video track"
    stated = re.search(_CODECS.get(container, b"(?!)"), head, re.DOTALL)
    codec = codec or (stated.group(1).decode("latin-1") if stated else "")
    codec = codec.strip("\0 ").lower()
    if codec in _ENCRYPTED:
        return f"it is encrypted (codec {codec!r}); a player with its key can read it"
    if codec and codec not in _COMMON:
        name = f" ({_NAMES[codec]})" if codec in _NAMES else ""
        return (
            f"no frame of the {container} file can be decoded: OpenCV does not decode "
            f"the codec {codec!r}{name}. Convert it, for example by: ffmpeg -i in -c:v "
            "libx264 out.mp4"
        )
    if container == "MPEG-TS":
        return f"the {container} file has no video, or is damaged or cut off"
    return f"the {container} file is damaged or cut off: no frame can be decoded"
