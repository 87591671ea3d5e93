"""Logos: only what is a picture by its bytes is taken, and nothing but the picture is kept of it."""

import struct
import zlib

import pytest

from rollbook.engine.pictures import (
    JPEG,
    MOST_BYTES,
    PNG,
    PNG_SIGNATURE,
    NotAPicture,
    PictureOutOfShape,
    PictureTooLarge,
    logo,
)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 100, height: int = 100, *extra: bytes) -> bytes:
    """A grey picture of these sides, with other chunks before its data."""
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", head) + b"".join(extra) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(width: int = 120, height: int = 120) -> bytes:
    """The frame of a JPEG, with a camera's note in it; its data stand for any."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    return (
        b"\xff\xd8" + segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0") + segment(0xE1, b"Exif\0\0where it was taken")
        + segment(0xDB, bytes(65)) + segment(0xC0, frame) + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\x34\xff\xd9"
    )  # fmt: skip


def test_a_png_is_kept_without_what_is_not_the_picture():
    picture = logo(png(100, 100, chunk(b"tEXt", b"Author\0somebody")) + b"<script>after the end</script>")
    assert (picture.kind, picture.width, picture.height) == (PNG, 100, 100)
    assert picture.content == png()


def test_a_jpeg_is_kept_without_the_cameras_note():
    picture = logo(jpeg() + b"<script>after the end</script>")
    assert (picture.kind, picture.width, picture.height) == (JPEG, 120, 120)
    assert b"where it was taken" not in picture.content
    assert b"script" not in picture.content
    assert picture.content.endswith(b"\x12\x34\xff\xd9")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(200),
        b"%PDF-1.7",
        png()[:-20],
        png().replace(b"\x80", b"\x81", 1)[:60],
        jpeg()[:40],
        b"\xff\xd8\xff\x00" + bytes(40),
    ],
    ids=["nothing", "svg", "gif", "pdf", "cut png", "broken png", "cut jpeg", "no jpeg"],
)
def test_what_is_no_picture_is_refused(content: bytes):
    with pytest.raises(NotAPicture):
        logo(content)


def test_a_damaged_png_is_refused():
    damaged = bytearray(png())
    damaged[20] ^= 1
    with pytest.raises(NotAPicture, match="damaged"):
        logo(bytes(damaged))


@pytest.mark.parametrize(("width", "height"), [(99, 99), (100, 120), (2001, 2001)])
def test_a_logo_is_square_and_of_a_size_to_be_shown(width: int, height: int):
    with pytest.raises(PictureOutOfShape, match=f"{width} × {height}"):
        logo(png(width, height))


def test_a_large_file_is_refused_before_it_is_looked_at():
    with pytest.raises(PictureTooLarge):
        logo(bytes(MOST_BYTES + 1))
