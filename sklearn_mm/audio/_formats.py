"""Recognise audio files by their first bytes, and name those that cannot be decoded."""

import re

_MIDI = "MIDI, which holds notes and no samples"
#: Formats that libsndfile does not decode, by patterns of their first bytes.
_UNSUPPORTED = (
    (rb"....ftyp|....(?:moov|mdat|free|wide|skip)", "MP4 or M4A (usually AAC or ALAC)"),
    (rb"\x1aE\xdf\xa3", "Matroska or WebM"),
    (rb"0&\xb2u\x8ef\xcf\x11", "WMA (ASF)"),
    (rb"#!AMR", "AMR"),
    (rb"\x02?#!SILK", "SILK"),
    (rb"MAC ", "Monkey's Audio (APE)"),
    (rb"wvpk", "WavPack"),
    (rb"TTA[12]", "True Audio (TTA)"),
    (rb"MPCK|MP\+", "Musepack"),
    (rb"DSD |FRM8", "DSD"),
    (rb"MThd|RIFF....RMID", _MIDI),
    (rb"\.RMF|\.ra\xfd", "RealAudio"),
    (rb"ADIF|\xff[\xf0\xf1\xf8\xf9]", "AAC"),
    (rb"\x0bw", "AC-3"),
    (rb"\x7f\xfe\x80\x01", "DTS"),
    (rb"OggS.{24}Speex", "Speex"),
    (rb"OggS.{24}\x80theora", "Ogg with video"),
)
#: Formats whose files may hold video as well: patterns of audio, and of video tracks.
_SHARED = {
    "MP4 or M4A (usually AAC or ALAC)": (rb"....ftyp(?:M4[ABP]|F4[AB]) ", rb"vide"),
    "Matroska or WebM": (rb".*\x86[\x81-\xff]A_", rb"\x86[\x81-\xff]V_"),
    "WMA (ASF)": (
        rb".*\x40\x9e\x69\xf8\x4d\x5b\xcf\x11",
        rb"\xc0\xef\x19\xbc\x4d\x5b\xcf\x11",
    ),
    "Ogg with video": (rb"(?!)", rb""),
}
_SUPPORTED = (
    rb"(?:RIFF|RIFX|RF64)....WAVE|riff\x2e\x91\xcf\x11|FORM....AIF[FC]|\.snd|dns\.|caff|"
    rb"fLaC|OggS|ID3|NIST_1A|Creative Voice File|"
    rb"\xff[\xe2-\xe5\xf2-\xf5\xfa-\xfd]"  # layers 2 and 3 of MPEG
)


def is_audio(head):
    """Whether a file is audio, by its first bytes.

    A container of audio and video is audio if these show an audio track only.
    """
    name = name_format(head)
    if name is None:
        return re.match(_SUPPORTED, head, re.DOTALL) is not None
    audio, video = _SHARED.get(name, (b"", b"(?!)"))
    has_audio = re.match(audio, head, re.DOTALL) is not None
    return has_audio and re.search(video, head, re.DOTALL) is None


def name_format(head):
    """Return the name of a format by a file's first bytes, or None if it is unknown.

    Parameters
    ----------
    head : bytes
        The first bytes, without a tag.

    Returns
    -------
    str or None
        Formats that libsndfile decodes are not named.
    """
    for pattern, name in _UNSUPPORTED:
        if re.match(pattern, head, re.DOTALL):
            return name
    return None
