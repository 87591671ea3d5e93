"""The fast reader, the careful reader and Python's csv agree on every file that is CSV; on what is not, no line goes unaccounted for."""

import csv
import io
import random
from pathlib import Path

import pytest

from rollbook.engine import stage as staging_module
from rollbook.engine.facts import facts_of
from rollbook.engine.findings import Findings
from rollbook.engine.headers import read_header
from rollbook.engine.package import PackageFile
from rollbook.engine.records import Broken, Whole, fields_of, records
from rollbook.engine.stage import Staged, Staging, open_staging, stage
from rollbook.oneroster.tables import V1P2
from tests.conftest import LONG

TABLE = V1P2.table("orgs")
WIDTH = len(TABLE.columns)
PIECES = [
    "",
    "a",
    "Ann",
    '"',
    '""',
    ",",
    " ",
    ";",
    "ü",
    "名",
    "\t",
    "#",
    "\\",
    "'",
    "NULL",
    "x" * 300,
    ' "',
    '" ',
    "\x1f",
    "\N{BOM}",
]
TAME = ["", "Ann", "b, c", "ü", "09"]
SCARS = ['"', '""', ",", "\n", "\r", "\r\n", "\n\n", " ", '",', ',"', "\\", "\0", '"x"', "\t"]
FILES = 400 if LONG else 60


def value(rng: random.Random, pieces: list[str]) -> str:
    return "".join(rng.choices(pieces, k=rng.randrange(4)))


def rows_of(rng: random.Random, newlines: bool) -> list[list[str]]:
    count = rng.choice([1, 2, 5, 50, 400])
    pieces = rng.choice([PIECES, TAME])
    if newlines:
        pieces = [*pieces, "\n", "two\nlines"]
    return [[f"id-{number}", *(value(rng, pieces) for _ in range(WIDTH - 1))] for number in range(count)]


def written(rng: random.Random, rows: list[list[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(buffer, quoting=quoting, lineterminator=rng.choice(["\n", "\r\n"]))
    writer.writerow(TABLE.columns)
    writer.writerows(rows)
    text = buffer.getvalue()
    return text.encode("utf-8-sig" if rng.random() < 0.2 else "utf-8").removesuffix(
        b"\n" if rng.random() < 0.2 else b"-"
    )


def wounded(rng: random.Random, content: bytes) -> bytes:
    text = content.decode()
    start = text.index("\n") + 1
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(start, len(text) + 1)
        text = text[:at] + rng.choice(SCARS) + text[at + rng.choice([0, 0, 1]) :]
    return text.encode()


@pytest.fixture(params=[None, 4096], ids=["large-buffers", "small-buffers"])
def buffers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        monkeypatch.setattr(staging_module, "READ_BUFFER", request.param)
        monkeypatch.setattr(staging_module, "LONGEST_LINE", request.param)


class Reading:
    """One file read in each of our ways."""

    def __init__(self, folder: Path, content: bytes) -> None:
        self.path = folder / "orgs.csv"
        self.path.write_bytes(content)
        self.facts = facts_of(self.path)
        self.staging: Staging = open_staging(folder, "512MB", 2)

    def staged(self) -> list[tuple[str, ...]]:
        stage(self.staging, PackageFile("orgs.csv", self.path, self.facts), TABLE, "bulk", Findings(True))
        return self.rows()

    def fast(self) -> list[tuple[str, ...]] | None:
        staged = Staged(TABLE, "bulk", read_header(self.path, TABLE, "bulk", Findings(True)))
        if not staging_module._read_fast(
            self.staging, PackageFile("orgs.csv", self.path, self.facts), staged
        ):
            return None
        return self.rows()

    def careful(self) -> list[Whole | Broken]:
        return list(records(self.path, WIDTH, 0, 1 << 20))

    def rows(self) -> list[tuple[str, ...]]:
        columns = ", ".join(f'"{column}"' for column in TABLE.columns)
        return self.staging.connection.execute(f"SELECT {columns} FROM s_orgs ORDER BY rowid").fetchall()


@pytest.mark.parametrize("seed", range(FILES))
def test_every_csv_file_is_read_as_pythons_csv_reads_it(seed: int, tmp_path: Path, buffers: None):
    rng = random.Random(seed)
    content = written(rng, rows_of(rng, newlines=seed % 3 == 0))
    oracle = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:]
    assert Reading(tmp_path, content).staged() == [tuple(row) for row in oracle]


@pytest.mark.parametrize("seed", range(FILES))
def test_a_damaged_file_loses_no_line_silently(seed: int, tmp_path: Path, buffers: None):
    rng = random.Random(seed)
    content = wounded(rng, written(rng, rows_of(rng, newlines=seed % 5 == 0)))
    found = Reading(tmp_path, content).careful()
    taken = sum(1 + one.text.count("\n") if isinstance(one, Whole) else 1 for one in found)
    text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    assert taken == len(text.removesuffix("\n").split("\n")) - 1
    assert [one.line for one in found] == sorted({one.line for one in found})


@pytest.mark.parametrize("seed", range(FILES))
def test_what_the_fast_reader_takes_of_a_damaged_file_the_careful_one_takes_too(
    seed: int, tmp_path: Path, buffers: None
):
    rng = random.Random(seed)
    content = wounded(rng, written(rng, rows_of(rng, newlines=seed % 5 == 0)))
    quick = Reading(tmp_path, content)
    rows = quick.fast()
    whole = [one for one in quick.careful() if isinstance(one, Whole)]
    if rows is not None:
        assert len(whole) == len(quick.careful())
        assert [fields_of(one.text) for one in whole] == [list(row) for row in rows]
    else:
        (tmp_path / "again").mkdir()
        assert len(Reading(tmp_path / "again", content).staged()) == len(whole)


@pytest.mark.parametrize("value", ['"a ""b"" c, d"', '""', '" "" "', '"""x"'])
def test_a_well_written_value_with_quotes_in_it_is_read_fast(value: str, tmp_path: Path):
    rows = "".join(f"id-{number},{value}{',' * (WIDTH - 2)}\n" for number in range(3))
    reading = Reading(tmp_path, f"{','.join(TABLE.columns)}\n{rows}".encode())
    expected = next(csv.reader([value]))[0]
    assert [row[1] for row in reading.fast() or []] == [expected] * 3


@pytest.mark.parametrize("value", [' "a"', '"a" ', 'a "b" c', '"a\nb"', '"a""', '"a"b'])
def test_a_line_that_is_no_record_by_itself_is_left_to_the_careful_reader(value: str, tmp_path: Path):
    rows = "".join(f"id-{number},{value}{',' * (WIDTH - 2)}\n" for number in range(3))
    assert Reading(tmp_path, f"{','.join(TABLE.columns)}\n{rows}".encode()).fast() is None
