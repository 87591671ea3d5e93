"""Facts: what the bytes of one CSV file say before anybody parses it, learnt in the one pass that also unpacks it.

`python -m rollbook.engine.facts FILE…` prints them as JSON, one line a file: of large packages another process counts a part.
"""

import codecs
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
BOM = codecs.BOM_UTF8
WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
GARBLED = (
    ("\N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}"),
    ("Ã", "Ã"),
    ("Â", "Â"),
    ("â€", "€"),
    ("ï¿½", "¿"),
)
"""What is left of letters that were read in a wrong encoding before they came here: signs to look closer, no more. Each with the letter
of it that is looked for first: one letter is found in a tenth of the time that several take."""

SHARED_FROM = 1 << 30
"""Bytes of all files from which a second process counts some of them: Python counts on one processor only."""


@dataclass
class Facts:
    """Counts and signs. `lines` counts line ends, and a last line without one; `bad_line` is the first line that is not UTF-8, or 0.

    `longest` is at least the length in bytes of the longest line where that exceeds one chunk, else it is only a bound.
    """

    size: int = 0
    lines: int = 0
    commas: int = 0
    carriages: int = 0
    quotes: bool = False
    nul: bool = False
    bom: bool = False
    wide: bool = False
    bad_line: int = 0
    longest: int = 0
    garbled: bool = False


class Scan:
    """Takes the bytes of a file chunk by chunk and gathers its Facts."""

    def __init__(self) -> None:
        self.facts = Facts()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._pending = False
        self._open_line = 0
        self._last = b""
        self._last_text = ""

    def take(self, chunk: bytes) -> None:
        facts = self.facts
        if not facts.size:
            facts.bom = chunk.startswith(BOM)
            facts.wide = chunk.startswith(WIDE_MARKS)
        line_ends = chunk.count(b"\n")
        self._decode(chunk, facts.lines)
        self._measure(chunk, line_ends)
        facts.size += len(chunk)
        facts.lines += line_ends
        facts.commas += chunk.count(b",")
        facts.carriages += chunk.count(b"\r") if b"\r" in chunk else 0
        facts.nul = facts.nul or b"\0" in chunk
        facts.quotes = facts.quotes or b'"' in chunk
        self._last = chunk[-1:]

    def done(self) -> Facts:
        """The facts, once all is taken."""
        if self._pending and not self.facts.bad_line:
            self.facts.bad_line = self.facts.lines + 1
        if self._last not in (b"", b"\n"):
            self.facts.lines += 1
        return self.facts

    def _decode(self, chunk: bytes, lines_before: int) -> None:
        if self.facts.bad_line or (chunk.isascii() and not self._pending):
            self._last_text = ""
            return
        try:
            text = self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            self.facts.bad_line = lines_before + 1 + error.object.count(b"\n", 0, error.start)
        else:
            self._look_for_garbled(text)
        self._pending = self._decoder.getstate()[0] != b""

    def _look_for_garbled(self, text: str) -> None:
        # In text, because one character is found in a fifth of the time that its bytes take.
        if not self.facts.garbled:
            seam = self._last_text + text[:2]
            self.facts.garbled = any(
                sign in seam or (letter in text and sign in text) for sign, letter in GARBLED
            )
        self._last_text = text[-2:]

    def _measure(self, chunk: bytes, line_ends: int) -> None:
        if not line_ends:
            self._open_line += len(chunk)
            self.facts.longest = max(self.facts.longest, self._open_line)
            return
        self.facts.longest = max(self.facts.longest, self._open_line + chunk.find(b"\n"))
        self._open_line = len(chunk) - chunk.rfind(b"\n") - 1


def facts_of(path: Path) -> Facts:
    """Reads the file once."""
    scan = Scan()
    for chunk in chunks(path):
        scan.take(chunk)
    return scan.done()


def facts_of_all(paths: Sequence[Path]) -> list[Facts]:
    """The facts of each, in the same order."""
    sizes = {path: path.stat().st_size for path in paths}
    if sum(sizes.values()) < SHARED_FROM or (os.cpu_count() or 1) < 2:
        return [facts_of(path) for path in paths]
    ours, theirs = _halves(sizes)
    with subprocess.Popen(
        [sys.executable, "-m", "rollbook.engine.facts", *map(str, theirs)], stdout=subprocess.PIPE, text=True
    ) as other:
        found = {path: facts_of(path) for path in ours}
        assert other.stdout is not None
        told = [Facts(**json.loads(line)) for line in other.stdout]
    if other.returncode:
        raise OSError(f"Counting ended with {other.returncode}.")
    found |= dict(zip(theirs, told, strict=True))
    return [found[path] for path in paths]


def _halves(sizes: dict[Path, int]) -> tuple[list[Path], list[Path]]:
    """The files in two parts of about the same size."""
    parts: tuple[list[Path], list[Path]] = ([], [])
    for path in sorted(sizes, key=lambda one: -sizes[one]):
        min(parts, key=lambda part: sum(sizes[one] for one in part)).append(path)
    return parts


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from chunks_of(file)


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def transcode(source: Iterable[bytes], target: Path, encoding: str) -> Facts:
    """Writes `source` as UTF-8, without a byte order mark. Raises UnicodeDecodeError where the bytes are not in `encoding`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    scan = Scan()
    with target.open("wb") as file:
        for chunk in source:
            text = decoder.decode(chunk).encode()
            scan.take(text)
            file.write(text)
        rest = decoder.decode(b"", True).encode()
        scan.take(rest)
        file.write(rest)
    return scan.done()


if __name__ == "__main__":
    for one in sys.argv[1:]:
        print(json.dumps(asdict(facts_of(Path(one)))))
