"""Validation for anybody: a package is judged both ways and forgotten. Nothing of it outlives the call, also where that ends in a fault."""

import ipaddress
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

from rollbook.engine.findings import Findings
from rollbook.engine.judgement import judge
from rollbook.engine.package import Limits
from rollbook.flows.uploads import workplace
from rollbook.refusal import Refusal

HOUR = 3600
PATIENCE = 20.0
"""Seconds to wait for the package before."""

MEMORY = "256MB"
UNPACKED = 20
"""How many times its limit packed a package may measure unpacked."""

_one_at_a_time = threading.BoundedSemaphore(1)


class SwitchedOff(Refusal):
    """Packages are not checked here without signing in."""


class TooOften(Refusal):
    """Too many packages have come from your address within an hour. Come again later, or use `rollbook validate` on your own machine."""


class Busy(Refusal):
    """Another package is being checked. Try again in a minute."""


@dataclass(frozen=True)
class Judged:
    """What is wrong with a package by the letter of the standard, and what is when it is read as an import reads it."""

    letter: Findings
    as_import: Findings


def take_turn(address: str, now: float) -> None:
    """Counts one package from this address at `now` (seconds since 1970). Raises SwitchedOff, TooOften."""
    if not settings.VALIDATE:
        raise SwitchedOff
    if not settings.VALIDATE_PER_HOUR:
        return
    key = f"validate:{neighbourhood(address)}:{int(now) // HOUR}"
    cache.add(key, 0, HOUR)
    if cache.incr(key) > settings.VALIDATE_PER_HOUR:
        raise TooOften


def neighbourhood(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, all of which one household has."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return "nobody"
    return str(one) if one.version == 4 else str(ipaddress.ip_network((one, 64), strict=False))


def judged(package: Path) -> Judged:
    """Judges a package both ways, one package at a time in each process. Raises Busy, NotAPackage."""
    with _turn(), workplace() as folder:
        return Judged(_findings(package, folder, lenient=False), _findings(package, folder, lenient=True))


@contextmanager
def _turn() -> Iterator[None]:
    if not _one_at_a_time.acquire(timeout=PATIENCE):
        raise Busy
    try:
        yield
    finally:
        _one_at_a_time.release()


def _findings(package: Path, folder: Path, lenient: bool) -> Findings:
    limits = Limits(size=UNPACKED * settings.VALIDATE_LIMIT)
    with (
        tempfile.TemporaryDirectory(dir=folder) as work,
        judge(package, Path(work), lenient=lenient, accepted=None, limits=limits, memory=MEMORY) as judgement,
    ):
        return judgement.findings
