"""Chance without memory: what falls for a key depends on the seed and the key alone, so any record can be made without the others."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Item = TypeVar("Item")

STRIDE = 7919
"""A prime that divides no period: neighbours get phases far apart, and every night its fair share."""


class Chance:
    """All the dice of one seed."""

    def __init__(self, seed: int) -> None:
        self._dice = blake2b(key=str(seed).encode()[:64], digest_size=16)
        self.salt = self.bits(b"salt") % 1_000_003

    def bits(self, key: bytes) -> int:
        """128 bits that look random."""
        dice = self._dice.copy()
        dice.update(key)
        return int.from_bytes(dice.digest(), "big")

    def guid(self, key: bytes) -> str:
        """A sourcedId in the shape of a UUID; it says nothing about whom it names."""
        dice = self._dice.copy()
        dice.update(key)
        text = dice.hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def phase(self, number: int, period: int) -> int:
        """Where in a cycle of `period` nights the entity `number` stands on night 0: from 0 to period - 1."""
        return (number * STRIDE + self.salt) % period


def pick(pool: Sequence[Item], bits: int) -> Item:
    return pool[bits % len(pool)]
