"""The line a change came from is the one that was read: counted alike, cut alike, of the same file."""

import zipfile
from pathlib import Path

import pytest

from rollbook.engine.lines import LONGEST, line_of
from rollbook.engine.records import Whole, records

TABLES = {
    "only CR": b"sourcedId,givenName\ru1,Ann\ru2,Bo\ru3,Cy\r",
    "a CR inside quotes": b'sourcedId,givenName\nu1,"An\rn"\nu2,Bo\nu3,Cy\n',
    "CR CR LF": b"sourcedId,givenName\r\r\nu1,Ann\r\r\nu2,Bo\r\r\n",
    "blank lines": b"sourcedId,givenName\n\nu1,Ann\n\n\nu2,Bo\n",
    "too long a line": b"sourcedId,givenName\nu1," + b"x" * (LONGEST + 10) + b"\nu2,Bo\nu3,Cy\n",
    "a long field": b"sourcedId,givenName\nu1," + b"x" * 200_000 + b"\nu2,Bo\n",
    "a quote that is never closed": b'sourcedId,givenName\nu1,"Ann\nu2,Bo\nu3,Cy\n',
}


@pytest.mark.parametrize("content", TABLES.values(), ids=TABLES)
def test_every_record_is_found_on_the_line_it_was_read_from(tmp_path: Path, content: bytes):
    (tmp_path / "users.csv").write_bytes(content)
    read = [one for one in records(tmp_path / "users.csv", 2, 0, LONGEST) if isinstance(one, Whole)]
    assert read
    for one in read:
        found = line_of(tmp_path, "users.csv", one.line)
        assert found is not None
        assert (found.fits, found.fields[0]) == (True, ("sourcedId", one.text[:2]))


def test_of_a_broken_line_is_shown_what_stands_between_its_commas(tmp_path: Path):
    (tmp_path / "users.csv").write_bytes(b'sourcedId,givenName\nu1,An"n,x\nu2,Bo\n')
    found = line_of(tmp_path, "users.csv", 2)
    assert found is not None
    assert found.fields == (("sourcedId", "u1"), ("givenName", 'An"n'), ("", "x"))
    assert not found.fits


def test_of_several_files_of_a_name_it_is_the_one_that_was_read(tmp_path: Path):
    old, new = b"sourcedId,givenName\nu1,OLD\n", b"sourcedId,givenName\nu1,NEW\n"
    folder, zipped = tmp_path / "folder", tmp_path / "package.zip"
    (folder / "archive").mkdir(parents=True)
    (folder / "archive" / "users.csv").write_bytes(old)
    (folder / "users.csv").write_bytes(new)
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("__MACOSX/users.csv", old)
        archive.writestr("a/b/users.csv", new)
    for package in (folder, zipped):
        found = line_of(package, "users.csv", 2)
        assert found is not None
        assert found.fields[1] == ("givenName", "NEW")
