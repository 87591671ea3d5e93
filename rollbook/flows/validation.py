"""Validation for anybody: a package is judged both ways and forgotten. Nothing of it outlives the call, also where that ends in a fault.

A process of its own judges it, so that a stranger's package costs the readers of this one nothing, and can be ended when it takes too long.
"""

import ipaddress
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.cache import caches

from rollbook.engine.aside import NOT_A_PACKAGE
from rollbook.engine.package import NotAPackage
from rollbook.flows.uploads import workplace
from rollbook.refusal import Refusal
from rollbook.store.found import Found, found_in

HOUR = 3600
PATIENCE = 20.0
"""Seconds to wait for the package before."""

LONGEST = 120.0
"""Seconds that judging may take."""

JUDGE = "rollbook.engine.aside"
UNPACKED = 20
"""How many times its limit packed a package may measure unpacked."""

_one_at_a_time = threading.BoundedSemaphore(1)
_in_line = threading.BoundedSemaphore(3)


class SwitchedOff(Refusal):
    """Packages are not checked here without signing in."""


class TooOften(Refusal):
    """Too many packages have come from your address within an hour. Come again later, or use `rollbook validate` on your own machine."""


class TooLong(Refusal):
    """This package takes longer to check than is possible here. Use `rollbook validate` on your own machine."""


class Busy(Refusal):
    """Another package is being checked. Try again in a minute."""


@dataclass(frozen=True)
class Judged:
    """What is wrong with a package by the letter of the standard, and what is when it is read as an import reads it."""

    letter: Found
    as_import: Found


def take_turn(address: str, now: float) -> None:
    """Counts one package from this address at `now` (seconds since 1970). Raises SwitchedOff, TooOften."""
    if not settings.VALIDATE:
        raise SwitchedOff
    if not settings.VALIDATE_PER_HOUR:
        return
    memory = caches["memory"]  # of a stranger's address nothing is kept elsewhere
    key = f"validate:{neighbourhood(address)}:{int(now) // HOUR}"
    memory.add(key, 0, HOUR)
    if memory.incr(key) > settings.VALIDATE_PER_HOUR:
        raise TooOften


def neighbourhood(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, all of which one household has."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return "nobody"
    return str(one) if one.version == 4 else str(ipaddress.ip_network((one, 64), strict=False))


def judged(package: Path) -> Judged:
    """Judges a package both ways, one package at a time in each process. Raises Busy, TooLong, NotAPackage."""
    with _turn(), workplace() as folder:
        _judge_aside(package, folder)
        return Judged(found_in(folder / "letter"), found_in(folder / "import"))


@contextmanager
def _turn() -> Iterator[None]:
    """A few may wait for a while; more are sent away at once, since each who waits keeps a thread."""
    if not _in_line.acquire(blocking=False):
        raise Busy
    try:
        if not _one_at_a_time.acquire(timeout=PATIENCE):
            raise Busy
        try:
            yield
        finally:
            _one_at_a_time.release()
    finally:
        _in_line.release()


def _judge_aside(package: Path, folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        JUDGE,
        str(package),
        str(folder),
        str(UNPACKED * settings.VALIDATE_LIMIT),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired as fault:
        raise TooLong from fault
    if done.returncode == NOT_A_PACKAGE:
        raise NotAPackage(done.stderr)
    # What it wrote may quote the package; only how it ended is ours to tell.
    if done.returncode:
        raise RuntimeError(f"{JUDGE} ended with {done.returncode}")
