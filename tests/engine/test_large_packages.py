"""A large package is staged in another way, and counted by two processes; what is said and planned of it is the same."""

from dataclasses import asdict
from pathlib import Path

import pytest

from rollbook.engine import facts, judgement
from rollbook.engine.facts import facts_of, facts_of_all
from rollbook.engine.judgement import judge
from rollbook.engine.plan import make_plan
from tests.engine.packages import DOMAINS, FIRST_IDS, package_of, steps_for, stored_before

CODES = (
    "boolean-case", "circular", "column-vanished", "csv-newline", "csv-quote", "duplicate", "encoding", "enrollment-outside", "id-reused",
    "prepared", "primary-roles", "reference", "rekeyed", "waiting",
)  # fmt: skip
"""Repairs, both readers, steps, and rules that look at single records, at files and at what is stored."""

Told = tuple[list[dict[str, str | int]], dict[str, object] | None]


def told_of(code: str, work: Path) -> Told:
    """The findings of a committed package, and what is planned of it."""
    staging = work / "staging"
    staging.mkdir(parents=True)
    stored = stored_before(code, work)
    with judge(
        package_of(code), staging, lenient=True, accepted=stored, domains=DOMAINS, steps=steps_for(code)
    ) as judged:
        planned = None if judged.fatal else asdict(make_plan(judged, stored, work / "out", FIRST_IDS))
        return [one.as_dict() for one in judged.findings], planned


@pytest.mark.parametrize("code", CODES)
def test_a_large_package_is_judged_and_planned_as_a_small_one(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    small = told_of(code, tmp_path / "small")
    monkeypatch.setattr(judgement, "LARGE", 0)
    assert told_of(code, tmp_path / "large") == small
    assert (tmp_path / "large" / "staging" / "records.duckdb").exists()


def test_what_two_processes_count_is_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = [tmp_path / f"{number}.csv" for number in range(5)]
    for number, file in enumerate(files):
        file.write_bytes(b'sourcedId,name\r\n1,"Zo\xc3\xab, \xc3\x83"\n' * (number + 1) + b"2,end")
    monkeypatch.setattr(facts, "SHARED_FROM", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert facts_of_all(files) == [facts_of(file) for file in files]


def test_counting_that_ends_in_between_is_no_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for file in files:
        file.write_bytes(b"sourcedId\n1\n")
    monkeypatch.setattr(facts, "SHARED_FROM", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(OSError, match="Counting ended with 1"):
        facts_of_all(files)
