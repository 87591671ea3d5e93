"""A package as it arrived: a zip or a folder, opened safely into a work folder. It knows file names and bytes, not columns.

Nothing outside the work folder is written and no more than `Limits` allows, whatever the zip says of itself.
"""

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from rollbook.engine.facts import CHUNK, Facts, Scan, facts_of_all
from rollbook.engine.findings import Findings
from rollbook.engine.foreign import foreign_format
from rollbook.oneroster.tables import BINDINGS
from rollbook.refusal import Refusal

NAMES = {
    f"{name}.csv".casefold(): f"{name}.csv"
    for name in ("manifest", *(table.name for binding in BINDINGS.values() for table in binding.tables))
}
LEFT_BEHIND = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")

ENCRYPTED = 0x1
RATIO_MATTERS_FROM = 64 << 20


@dataclass(frozen=True)
class Limits:
    """What a package may cost: entries, bytes unpacked, bytes unpacked for each byte packed, bytes of a field."""

    entries: int = 1_000
    size: int = 32 << 30
    ratio: int = 250
    field: int = 1 << 20


UNNAMED = "What came"

KEPT_AS = re.compile(r"[0-9a-f]{32}|tmp[0-9a-z_]{8}")
"""What a delivery that is kept, and an upload that is judged (`tempfile`), are called: nobody knows them by that."""


UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


class NotAPackage(Refusal):
    """This is not a OneRoster CSV package."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self._words = words

    @property
    def words(self) -> str:
        return self._words


@dataclass
class PackageFile:
    """One CSV file of the standard: where its bytes are now, and what they say."""

    name: str
    path: Path
    facts: Facts


@dataclass
class Package:
    """The files of the standard that were found, by name (`users.csv`), and those beside them that somebody asked for."""

    files: dict[str, PackageFile] = field(default_factory=dict)
    extras: dict[str, PackageFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One file of the container: its path inside, with forward slashes, and where it is read from."""

    path: PurePosixPath
    source: Path | zipfile.ZipInfo


def open_package(
    path: Path, work: Path, findings: Findings, limits: Limits, wanted: frozenset[str] = frozenset()
) -> Package:
    """The package at `path`. Its files are read where they lie in a folder, and unpacked below `work` from a zip.

    `wanted` names CSV files that are no files of the standard and are read all the same, as `extras`.
    Raises NotAPackage where `path` is neither, or holds nothing of the standard, or is hostile.
    """
    if path.is_dir():
        return _sorted_out(_folder_entries(path, limits), None, work, findings, limits, wanted)
    if not path.is_file():
        raise NotAPackage(f"There is nothing at {path}. Name a zip or a folder with CSV files.")
    if path.stat().st_size == 0:
        raise NotAPackage(f"{_called(path)} is empty. A package is a zip of CSV files.")
    try:
        with zipfile.ZipFile(path) as archive:
            return _sorted_out(_zip_entries(archive, limits), archive, work, findings, limits, wanted)
    except UNREADABLE as error:
        raise NotAPackage(_not_a_zip(path)) from error


@contextmanager
def delivered_file(path: Path, name: str) -> Iterator[IO[bytes] | None]:
    """The bytes of one of the standard's files, the one that `open_package` reads; None where there is none, or the package is gone."""
    with ExitStack() as ends:
        yield _found(path, name, ends)


def _found(path: Path, name: str, ends: ExitStack) -> IO[bytes] | None:
    limits, unheard = Limits(), Findings(lenient=True)
    try:
        archive = None if path.is_dir() else ends.enter_context(zipfile.ZipFile(path))
        entries = _zip_entries(archive, limits) if archive else _folder_entries(path, limits)
        kept = [entry for entry in entries if not _left_behind(entry.path, unheard)]
        root = _root(kept, archive, limits)
        wanted = (entry for entry in kept if NAMES.get(entry.path.name.casefold()) == name)
        found = next((entry for entry in wanted if entry.path.parent == root), None)
        return ends.enter_context(_opened(found, archive)) if found else None
    except (NotAPackage, OSError, *UNREADABLE):
        return None


def _folder_entries(folder: Path, limits: Limits) -> list[Entry]:
    entries: list[Entry] = []
    for path in _walk(folder, limits.entries):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if path.is_symlink():
            raise NotAPackage(
                f"{inside} is a symbolic link, and links are not followed. Put the file itself there."
            )
        if not path.is_dir():
            entries.append(Entry(inside, path))
    return entries


def _walk(folder: Path, most: int) -> Iterator[Path]:
    for number, path in enumerate(_descend(folder)):
        if number >= most:
            raise NotAPackage(
                f"The folder holds more than {most:,} files. Name the folder of the package alone."
            )
        yield path


def _descend(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _descend(path)


def _zip_entries(archive: zipfile.ZipFile, limits: Limits) -> list[Entry]:
    infos = archive.infolist()
    if len(infos) > limits.entries:
        raise NotAPackage(f"The zip holds {len(infos):,} entries; a package has at most {limits.entries:,}.")
    return [Entry(_safe(info), info) for info in infos if not info.is_dir()]


def _safe(info: zipfile.ZipInfo) -> PurePosixPath:
    """The entry's path. Raises NotAPackage for one that leads elsewhere, is a link, or is encrypted."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]:
        raise NotAPackage("The zip holds an entry whose path leads outside the package. It was not unpacked.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise NotAPackage(f"{path} is a symbolic link, and links are not followed. Zip the file itself.")
    if info.flag_bits & ENCRYPTED:
        raise NotAPackage("The zip is encrypted. Make it without a password; the way it travels protects it.")
    return path


def _not_a_zip(path: Path) -> str:
    """What is wrong, in our words: those of the zip itself may be what is in it."""
    if path.suffix.casefold() == ".csv":
        return f"{_called(path)} is a single CSV file. A package is a zip or a folder that holds all of its files."
    if zipfile.is_zipfile(path):
        named = "" if KEPT_AS.fullmatch(path.stem) else f" {path.name}"
        return f"The zip{named} is damaged, or packed in a way that is not read here. Make it anew, or send it again."
    return f"{_called(path)} is not a zip. A package is a zip of CSV files, or a folder that holds them."


def _called(path: Path) -> str:
    """What begins a sentence about the package itself: its name, where that is one that somebody gave it."""
    return UNNAMED if KEPT_AS.fullmatch(path.stem) else path.name


def _sorted_out(
    entries: list[Entry],
    archive: zipfile.ZipFile | None,
    work: Path,
    findings: Findings,
    limits: Limits,
    wanted: frozenset[str],
) -> Package:
    kept = [entry for entry in entries if not _left_behind(entry.path, findings)]
    root = _root(kept, archive, limits)
    if root.parts:
        findings.add("enclosing-folder", value=str(root))
    package = Package()
    allowance = _Allowance(archive, limits)
    for entry in kept:
        name = NAMES.get(entry.path.name.casefold())
        extra = next((one for one in wanted if one.casefold() == entry.path.name.casefold()), None)
        if extra and entry.path.parent == root and extra not in package.extras:
            package.extras[extra] = _taken(extra, entry, archive, work, allowance)
        elif name is None or entry.path.parent != root:
            findings.add("unknown-file", str(entry.path))
        elif name in package.files:
            findings.add("file-twice", name, value=str(entry.path))
        else:
            if entry.path.name != name:
                findings.add("file-name-case", name, value=entry.path.name)
            package.files[name] = _taken(name, entry, archive, work, allowance)
    if archive is None:
        lying = [*package.files.values(), *package.extras.values()]
        for file, facts in zip(lying, facts_of_all([file.path for file in lying]), strict=True):
            file.facts = facts
    return package


def _left_behind(path: PurePosixPath, findings: Findings) -> bool:
    if (
        path.parts[0].casefold() in LEFT_BEHIND
        or path.name.casefold() in LEFT_BEHIND
        or path.name.startswith("._")
    ):
        findings.add("stray-file", str(path))
        return True
    return False


def _root(entries: list[Entry], archive: zipfile.ZipFile | None, limits: Limits) -> PurePosixPath:
    """The one folder in which the files of the standard lie. Raises NotAPackage where there is none."""
    known = [entry for entry in entries if entry.path.name.casefold() in NAMES]
    if words := foreign_format({entry.path.name: partial(_head, entry, archive) for entry in entries}):
        raise NotAPackage(words)
    if not known:
        raise NotAPackage(_nothing_known(entries))
    parents = sorted(
        {entry.path.parent for entry in known}, key=lambda parent: (len(parent.parts), str(parent))
    )
    return parents[0]


def _nothing_known(entries: list[Entry]) -> str:
    if not entries:
        return "There are no files in it. A package holds manifest.csv and the CSV files it names."
    if any(entry.path.suffix.casefold() == ".zip" for entry in entries):
        return "It holds a zip instead of CSV files. Unpack it once, and send the zip that is inside."
    names = ", ".join(sorted(entry.path.name for entry in entries)[:5])
    return f"None of its files is one of OneRoster's ({names}). A package holds manifest.csv and files such as users.csv."


def _head(entry: Entry, archive: zipfile.ZipFile | None) -> str:
    """The first line of a file, as far as it matters for recognising it."""
    with _opened(entry, archive) as file:
        return file.read(4096).decode("utf-8-sig", "replace").split("\n")[0].rstrip("\r")


def _opened(entry: Entry, archive: zipfile.ZipFile | None) -> IO[bytes]:
    if isinstance(entry.source, Path):
        return entry.source.open("rb")
    assert archive is not None
    return archive.open(entry.source)


class _Allowance:
    """What is left of the limits while unpacking; a zip's own word for its sizes is not believed."""

    def __init__(self, archive: zipfile.ZipFile | None, limits: Limits) -> None:
        packed = sum(info.compress_size for info in archive.infolist()) if archive else 0
        self._most = limits.size
        if archive:
            self._most = min(limits.size, max(RATIO_MATTERS_FROM, packed * limits.ratio))
        self._used = 0

    def spend(self, size: int) -> None:
        self._used += size
        if self._used > self._most:
            raise NotAPackage(
                f"The zip unpacks to more than {self._most >> 20:,} MiB, which is far beyond what its size lets expect."
                " It was not unpacked further."
            )


def _taken(
    name: str, entry: Entry, archive: zipfile.ZipFile | None, work: Path, allowance: _Allowance
) -> PackageFile:
    """The file where it lies, its facts not read yet, or unpacked."""
    if isinstance(entry.source, Path):
        allowance.spend(entry.source.stat().st_size)
        return PackageFile(name, entry.source, Facts())
    target = work / name
    scan = Scan()
    with _opened(entry, archive) as source, target.open("wb") as file:
        while chunk := source.read(CHUNK):
            allowance.spend(len(chunk))
            _leave_room(work, len(chunk))
            scan.take(chunk)
            file.write(chunk)
    return PackageFile(name, target, scan.done())


def _leave_room(work: Path, size: int) -> None:
    if shutil.disk_usage(work).free < size + (64 << 20):
        raise NotAPackage("The disk has no room to unpack the package. Free some space and try again.")
