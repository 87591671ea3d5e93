"""Logos: whether uploaded bytes are a picture of a kind that is safe to show, and the same picture without anything else in it.

PNG and JPEG only, told by their bytes and never by their name. SVG can hold programs, so it is not taken. Sources: PNG (W3C, third edition) §5;
ITU-T T.81 Annex B.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from rollbook.refusal import Refusal

MOST_BYTES = 500_000
LEAST_SIDE, MOST_SIDE = 100, 2_000

PNG, JPEG = "image/png", "image/jpeg"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What draws the picture; texts, times and camera data are left out.
PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM"})
JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
JPEG_KEPT = frozenset({*JPEG_FRAMES, 0xC4, 0xDB, 0xDD, 0xE0, 0xEE})
JPEG_START, JPEG_END, JPEG_SCAN = 0xD8, 0xD9, 0xDA


class NotAPicture(Refusal):
    """A logo is a PNG or a JPEG picture. If you have it as SVG, save it as PNG."""


class PictureTooLarge(Refusal):
    """A logo has at most 500 kB."""


class PictureOutOfShape(Refusal):
    """A logo is square, and its sides have 100 to 2,000 points."""


@dataclass(frozen=True)
class Picture:
    """A sound picture: its media type, its bytes and its sides in points."""

    kind: str
    content: bytes
    width: int
    height: int


def logo(content: bytes) -> Picture:
    """The picture in these bytes, fit to be a logo. Raises PictureTooLarge, NotAPicture, PictureOutOfShape."""
    if len(content) > MOST_BYTES:
        raise PictureTooLarge(f"this one has {len(content) // 1000} kB")
    found = _picture(content)
    if found.width != found.height or not LEAST_SIDE <= found.width <= MOST_SIDE:
        raise PictureOutOfShape(f"this one has {found.width} × {found.height}")
    return found


def _picture(content: bytes) -> Picture:
    try:
        if content.startswith(PNG_SIGNATURE):
            return _png(content)
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
    except (struct.error, IndexError, zlib.error) as fault:
        raise NotAPicture("it breaks off") from fault
    raise NotAPicture


def _png(content: bytes) -> Picture:
    chunks = list(_chunks(content))
    names = [name for name, _ in chunks]
    if names[0] != b"IHDR" or names[-1] != b"IEND" or b"IDAT" not in names:
        raise NotAPicture("it breaks off")
    width, height = struct.unpack(">II", chunks[0][1][:8])
    kept = b"".join(_chunk(name, data) for name, data in chunks if name in PNG_KEPT)
    return Picture(PNG, PNG_SIGNATURE + kept, width, height)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of each chunk up to IEND, their checks looked at; whatever follows is no part of the picture."""
    place = len(PNG_SIGNATURE)
    while True:
        (length,) = struct.unpack_from(">I", content, place)
        name, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", content, place + 8 + length)
        if zlib.crc32(name + data) != check:
            raise NotAPicture("it is damaged")
        yield name, data
        if name == b"IEND":
            return
        place += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _jpeg(content: bytes) -> Picture:
    """The segments before the picture's data that draw it, then the data up to the end marker."""
    kept, place, sides = [content[:2]], 2, None
    while True:
        if content[place] != 0xFF:
            raise NotAPicture("it is damaged")
        marker = content[place + 1]
        (length,) = struct.unpack_from(">H", content, place + 2)
        if marker == JPEG_SCAN:
            break
        if marker in JPEG_FRAMES:
            sides = struct.unpack_from(">HH", content, place + 5)
        if marker in JPEG_KEPT:
            kept.append(content[place : place + 2 + length])
        place += 2 + length
    end = content.rfind(bytes((0xFF, JPEG_END)))
    if sides is None or end < place:
        raise NotAPicture("it breaks off")
    height, width = sides
    return Picture(JPEG, b"".join(kept) + content[place : end + 2], width, height)
