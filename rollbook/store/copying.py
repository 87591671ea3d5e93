"""Copying large files beside readers: a file is read once, for the copy and for its fingerprint.

Who brings a delivery is the web server, or a command of an operator's: it gives way to readers, as the worker does. What has been copied of the
original is let go of by the page cache, and makes room for the copy: a virtual machine pays for memory that it did not have before.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from rollbook.store.giving_way import GivingWay

BLOCK = 1 << 20
LET_GO = 16 * BLOCK
"""So much of the original is let go of at a time."""


def copy(source: Path, target: Path, digest: "hashlib._Hash") -> int:
    """Copies a file to where there is none yet, and takes it up into the digest; its size in bytes. Raises OSError."""
    block, size, gone = memoryview(bytearray(BLOCK)), 0, 0
    give_way = GivingWay()
    with source.open("rb", buffering=0) as reader, target.open("xb") as writer:
        while count := reader.readinto(block):
            digest.update(block[:count])
            writer.write(block[:count])
            size += count
            if size - gone >= LET_GO:
                with suppress(OSError):  # it is no file on a disk
                    os.posix_fadvise(reader.fileno(), gone, size - gone, os.POSIX_FADV_DONTNEED)
                gone = size
            give_way()
    return size
