"""Lengths: columns whose values were cut off by the system that exported them, seen by how many end at exactly the same length."""

from rollbook.engine.findings import Findings
from rollbook.engine.offenders import hold_file_if_error
from rollbook.engine.sql import name
from rollbook.engine.stage import Staged, Staging

WATCHED = {
    "orgs": ("name",),
    "courses": ("title",),
    "classes": ("title",),
    "users": (
        "username",
        "givenName",
        "familyName",
        "middleName",
        "email",
        "preferredGivenName",
        "preferredFamilyName",
    ),
}
"""The columns whose values have no length of their own; codes and identifiers often have one."""

SUSPICIOUS = (15, 20)
"""The lengths, in characters, at which exports are known to cut."""

FEWEST = 10
"""Different values of the greatest length, from which they are noticed."""

STEEPNESS = 2
"""How many times as many as of each of the two lengths below."""


def judge_lengths(staging: Staging, findings: Findings) -> None:
    """Values grow rarer the longer they are; where the greatest length is a round one and many have it, they were cut there."""
    for table, watched in WATCHED.items():
        staged = staging.tables.get(table)
        columns = [column for column in watched if staged and staged.has(column)]
        if not staged or not staged.rows or not columns:
            continue
        longest = staging.one(
            f"SELECT {', '.join(f'max(length({name(column)}))' for column in columns)} FROM {staged.records}"
        )
        for column, length in zip(columns, longest, strict=True):
            if length in SUSPICIOUS:
                _judge(staging, staged, column, int(str(length)), findings)


def _judge(staging: Staging, staged: Staged, column: str, length: int, findings: Findings) -> None:
    """Numbers at the end do not make another value: `Section 10` and `Section 11` are one."""
    x = name(column)
    of = {
        one: staging.number(
            f"SELECT count(DISTINCT regexp_replace({x}, '[0-9]+$', '')) FROM {staged.records} WHERE length({x}) = {one}"
        )
        for one in (length, length - 1, length - 2)
    }
    if of[length] < FEWEST or of[length] < STEEPNESS * max(of[length - 1], of[length - 2], 1):
        return
    _, line, source_id, value, cut = staging.one(
        f'SELECT min(rowid), arg_min({staged.line}, rowid), arg_min("sourcedId", rowid), arg_min({x}, rowid), count(*)'
        f" FROM {staged.records} WHERE length({x}) = {length}"
    )
    records = int(str(cut))
    total = staging.number(f"SELECT count(*) FROM {staged.records} WHERE {x} <> ''")
    if records == total:
        return  # all of one length: that is a code, not a cut
    said = f"{records:,} values of {column} have exactly {length} characters, and none has more. "
    findings.add("cut-off", staged.file, int(str(line)), column, str(value), said, str(source_id), records)
    hold_file_if_error(staging, staged, findings, "cut-off")
