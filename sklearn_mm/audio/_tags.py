"""Tags before, between and after the frames of an audio stream: ID3, APE, Lyrics3."""


def skip_tags(data, position, end):
    """Return the end of the tags at a position."""
    while position < end:
        head = data[position : position + 32]
        if head[:3] == b"ID3" and len(head) >= 10:
            size = sum(
                (b & 127) << shift for b, shift in zip(head[6:10], (21, 14, 7, 0))
            )
            position += 10 + size + 10 * bool(head[5] & 16)
        elif head[:4] == b"TAG+":
            position += 227
        elif head[:3] == b"TAG":
            position += 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            is_header = head[23] & 0x20
            position += 32 + is_header // 32 * int.from_bytes(head[12:16], "little")
        elif head[:11] == b"LYRICSBEGIN":
            stop = data.find(b"LYRICS200", position)
            position = stop + 9 if stop >= 0 else end
        else:
            return position
    return min(position, end)


def find_tags_at_end(data):
    """Return where the tags at the end begin."""
    end = len(data)
    while True:
        if data[max(0, end - 128) :][:3] == b"TAG" and end >= 128:
            end -= 128
            end -= 227 * (data[max(0, end - 227) :][:4] == b"TAG+")
        elif data[max(0, end - 32) :][:8] == b"APETAGEX" and end >= 32:
            size = int.from_bytes(data[end - 20 : end - 16], "little")
            end -= min(end, size + 32 * bool(data[end - 9] & 0x80))
        elif data[max(0, end - 9) : end] == b"LYRICS200":
            start = data.rfind(b"LYRICSBEGIN", 0, end)
            if start < 0:
                return end
            end = start
        else:
            return end
