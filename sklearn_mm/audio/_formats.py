"""Formats of audio that are recognised, but that libsndfile does not decode."""

#: By the first bytes, from an offset.
_MAGICS = (
    (4, b"ftyp", "MP4 or M4A (usually AAC or ALAC)"),
    (0, b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "WMA (ASF)"),
    (0, b"#!AMR", "AMR"),
    (0, b"#!SILK", "SILK"),
    (0, b"\2#!SILK", "SILK"),
    (0, b"MAC ", "Monkey's Audio (APE)"),
    (0, b"wvpk", "WavPack"),
    (0, b"TTA1", "True Audio (TTA)"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"DSD ", "DSD (DSF)"),
    (0, b"FRM8", "DSD (DSDIFF)"),
    (0, b"MThd", "MIDI, which holds notes and no samples"),
    (8, b"RMID", "MIDI, which holds notes and no samples"),
    (0, b".RMF", "RealAudio"),
    (0, b"ADIF", "AAC"),
    (0, b"\x0bw", "AC-3"),
    (0, b"\x7f\xfe\x80\1", "DTS"),
    (28, b"Speex", "Speex"),
    (28, b"\x80theora", "Ogg with video"),
)


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
    for place, magic, name in _MAGICS:
        if head[place : place + len(magic)] == magic:
            return name
    is_adts = head[:1] == b"\xff" and head[1:2] in (b"\xf0", b"\xf1", b"\xf8", b"\xf9")
    return "AAC" if is_adts else None
