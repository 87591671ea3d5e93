"""The two questions asked of a made-up district: write it as a package, and say what must differ between two of its nights."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TextIO

from rollbook.generator.district import METADATA, District, Lines
from rollbook.generator.package import line, manifest, write_text, zip_folder
from rollbook.oneroster.csv_binding import MANIFEST, header
from rollbook.oneroster.tables import BINDINGS
from rollbook.work_folders import work_folder

SYSTEM = "Rollbook generator"


class Difference(NamedTuple):
    """How many records of a table there are on a night, and how many of them came, changed and went since an earlier one."""

    total: int
    added: int
    changed: int
    removed: int


def generate(out: Path, students: int, seed: int, night: int = 0, version: str = "1.2") -> dict[str, int]:
    """Writes the district as a zip where `out` ends in .zip, else as a folder; returns the records per table.

    The same arguments give the same bytes. What else is in the folder stays, but for CSV files, which are replaced.
    """
    district = District(students, seed, night, version)
    system = (SYSTEM, f"synthetic-{seed}")
    if out.suffix.lower() != ".zip":
        return write_folder(out, district, system)
    out.parent.mkdir(parents=True, exist_ok=True)
    with work_folder("generate") as folder:
        counts = write_folder(folder, district, system)
        zip_folder(folder, out)
    return counts


def write_folder(folder: Path, district: District, system: tuple[str, str]) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.csv"):
        path.unlink()
    counts = write_tables(folder, district)
    modes = dict.fromkeys(counts, "bulk")
    write_text(folder / MANIFEST, manifest(district.version, modes, system))
    return counts


def write_tables(folder: Path, district: District) -> dict[str, int]:
    """Every part goes to its files as soon as it is made; a file is opened by its first line, so none is empty."""
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        files: dict[str, TextIO] = {}
        for lines in district.parts():
            for name, table_lines in lines.items():
                if name not in files:
                    files[name] = stack.enter_context(opened(folder, name, district.version))
                files[name].writelines(table_lines)
                counts[name] += len(table_lines)
    return {
        table.name: counts[table.name] for table in BINDINGS[district.version].tables if counts[table.name]
    }


def opened(folder: Path, name: str, version: str) -> TextIO:
    table = BINDINGS[version].table(name)
    file = (folder / table.file).open("w", encoding="utf-8", newline="", buffering=1 << 20)
    file.write(line(header(table, METADATA.get(name, ()))))
    return file


def expected(
    students: int, seed: int, night: int, since: int | None = None, version: str = "1.2"
) -> dict[str, Difference]:
    """Per table, what `night` holds and what was added, changed and removed since the night before (or `since`).

    Reckoned part by part, without writing either night: nothing ever moves from one part to another.
    """
    before = District(students, seed, night - 1 if since is None else since, version)
    after = District(students, seed, night, version)
    totals: dict[str, Difference] = {}
    for old, new in zip(before.parts(), after.parts(), strict=True):
        for name, difference in differences(old, new):
            totals[name] = plus(totals.get(name, Difference(0, 0, 0, 0)), difference)
    return totals


def differences(old: Lines, new: Lines) -> Iterator[tuple[str, Difference]]:
    for name in old.keys() | new.keys():
        was, now = (by_sourced_id(lines[name]) for lines in (old, new))
        changed = sum(1 for key in was.keys() & now.keys() if was[key] != now[key])
        yield name, Difference(len(now), len(now.keys() - was.keys()), changed, len(was.keys() - now.keys()))


def by_sourced_id(lines: list[str]) -> dict[str, str]:
    return {line.partition(",")[0]: line for line in lines}


def plus(one: Difference, other: Difference) -> Difference:
    return Difference(*(a + b for a, b in zip(one, other, strict=True)))
