"""Copying large files beside readers: a file is read once, for the copy and for its fingerprint.

Who brings a delivery is the web server, or a command of an operator's: it gives way to readers, as the worker does.
"""

import hashlib
from pathlib import Path

from rollbook.store.giving_way import GivingWay

BLOCK = 1 << 20


def copy(source: Path, target: Path, digest: "hashlib._Hash") -> int:
    """Copies a file to where there is none yet, and takes it up into the digest; its size in bytes. Raises OSError."""
    block, size = memoryview(bytearray(BLOCK)), 0
    give_way = GivingWay()
    with source.open("rb", buffering=0) as reader, target.open("xb") as writer:
        while count := reader.readinto(block):
            digest.update(block[:count])
            writer.write(block[:count])
            size += count
            give_way()
    return size
