"""References between the files of a package and into what is stored: which are dangling, and which records have to wait for others.

A record in error that is stored keeps its stored version, and references to it hold. One that was never stored makes those that refer
to it wait, and those that refer to these, and so on. Files are judged behind those they refer to.
"""

from collections.abc import Iterator
from pathlib import Path

from rollbook.engine.consequences import note_consequences, open_consequences, tell_consequences
from rollbook.engine.findings import LISTED, Finding, Findings
from rollbook.engine.rules import hold
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staged, Staging
from rollbook.engine.telling import Tell, untold
from rollbook.engine.values import GUID
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.oneroster.spec import Field

ORDER = (*LOAD_ORDER, "categories", "scoreScales", "lineItems", "results")


def judge_references(
    staging: Staging, accepted: Path | None, findings: Findings, tell: Tell = untold
) -> None:
    """Judges the references of all files. `accepted` is the folder of what is stored, None where nothing is known of that."""
    open_consequences(staging)
    done, known = 0, sum(staged.rows for staged in staging.tables.values())
    for place, staged in enumerate(_in_order(staging)):
        tell("relating", done, known)
        done += staged.rows
        if not staged.rows:
            continue
        staged.place = place
        for field in staged.table.references:
            if staged.has(field.name) and field.target != staged.name:
                _judge(staging, staged, field, accepted, findings)
        _judge_self_references(staging, staged, accepted, findings)
    tell_consequences(staging, findings)


def _in_order(staging: Staging) -> Iterator[Staged]:
    last = len(ORDER)
    yield from sorted(
        staging.tables.values(), key=lambda one: ORDER.index(one.name) if one.name in ORDER else last
    )


def _judge_self_references(
    staging: Staging, staged: Staged, accepted: Path | None, findings: Findings
) -> None:
    """Again and again, until no further record has to wait for one that waits itself."""
    own = [
        field for field in staged.table.references if field.target == staged.name and staged.has(field.name)
    ]
    before = -1
    while own and before != staged.held:
        before = staged.held
        for field in own:
            _judge(staging, staged, field, accepted, findings)


def _judge(staging: Staging, staged: Staged, field: Field, accepted: Path | None, findings: Findings) -> None:
    """Looks for references that no record of the package answers, and holds them against what is stored."""
    assert field.target is not None
    target = staging.tables.get(field.target)
    if not _collect_misses(staging, staged, field, target):
        return
    if field.type == "guidRef":
        _judge_form(staging, staged, field, findings)
    if target is None and not _can_know(staging, staged, field.target, accepted):
        return
    staging.neighbours.look(field.target, "SELECT value FROM misses", accepted)
    stored = _stored(accepted, field.target)
    verdict = _verdict(staging, staged, field.target, target, stored, accepted)
    staging.run(
        f"CREATE OR REPLACE TEMP TABLE offenders AS SELECT r, line, source_id, value, verdict FROM"
        f" (SELECT *, {verdict} AS verdict FROM misses) WHERE verdict <> 'known'"
    )
    note_consequences(staging, staged, field)
    _tell_of_missing_file(staging, staged, field, findings)


def _can_know(staging: Staging, staged: Staged, target: str, accepted: Path | None) -> bool:
    """Whether anything can be said of references into a file that is not in the package."""
    if target in staging.unreadable or staged.mode == "bulk":
        return True
    return accepted is not None and target in LOAD_ORDER


def _collect_misses(staging: Staging, staged: Staged, field: Field, target: Staged | None) -> int:
    """Fills `misses` (r, line, source_id, value) with the references that no sound record of the package answers.

    The references alone are looked at first: whose they are is read only where some are missing.
    """
    column = name(field.name)
    value = f"unnest(string_split({column}, ','))" if field.is_list else column
    base = (
        f"SELECT rowid AS r, {value} AS value FROM {staged.records}"
        f" WHERE {column} <> '' AND {staged.not_held} AND {staged.not_deleted}"
    )
    answered = ""
    if target is not None:
        sound = f'SELECT "sourcedId" FROM {target.records} WHERE {target.not_held} AND {target.not_deleted}'
        answered = f"WHERE value NOT IN ({sound})"
    missed = staging.made(f"CREATE OR REPLACE TEMP TABLE missed AS SELECT r, value FROM ({base}) {answered}")
    if missed:
        staging.run(
            f"CREATE OR REPLACE TEMP TABLE misses AS SELECT r, line, source_id, value FROM missed"
            f' JOIN (SELECT rowid AS r, {staged.line} AS line, "sourcedId" AS source_id FROM {staged.records}) USING (r)'
        )
    return missed


def _judge_form(staging: Staging, staged: Staged, field: Field, findings: Findings) -> None:
    """What is no identifier at all is said so, rather than that nothing has that name."""
    wrong = f"NOT regexp_full_match(value, {literal(GUID)})"
    total = staging.number(f"SELECT count_if({wrong}) FROM misses")
    if not total:
        return
    sample = staging.connection.execute(
        f"SELECT line, value, source_id FROM misses WHERE {wrong} ORDER BY r LIMIT {LISTED}"
    ).fetchall()
    findings.flood(
        "guid",
        staged.file,
        total,
        (
            Finding("guid", "", "", line, field.name, value, "", source_id)
            for line, value, source_id in sample
        ),
    )
    hold(staging, staged, f"SELECT r FROM misses WHERE {wrong}")
    staging.run(f"DELETE FROM misses WHERE {wrong}")


def _stored(accepted: Path | None, target: str) -> str:
    """SQL: the identifiers of the target's records that are stored and alive."""
    parquet = accepted / f"{target}.parquet" if accepted else None
    if parquet is None or not parquet.exists():
        return "SELECT NULL::VARCHAR AS source_id WHERE false"
    return f"SELECT source_id FROM read_parquet({literal(str(parquet))}) WHERE status = 'active'"


def _verdict(
    staging: Staging,
    staged: Staged,
    target_name: str,
    target: Staged | None,
    stored: str,
    accepted: Path | None,
) -> str:
    """SQL: known, waiting, dangling or no-file, of a reference `value` that the package does not answer."""
    is_stored = f"value IN ({stored})"
    is_elsewhere = f"value IN (SELECT source_id FROM ({staging.neighbours.found(target_name)}))"
    if target is None:
        if target_name in staging.unreadable:
            return f"CASE WHEN {is_stored} OR {is_elsewhere} THEN 'known' ELSE 'waiting' END"
        otherwise = "dangling" if accepted is not None and target_name in LOAD_ORDER else "no-file"
        return f"CASE WHEN {is_stored} OR {is_elsewhere} THEN 'known' ELSE '{otherwise}' END"
    held = (
        f'value IN (SELECT "sourcedId" FROM {target.records} WHERE rowid IN (SELECT r FROM {target.holds}))'
        f" OR value IN (FROM {target.broken_ids})"
    )
    deleted = f'value IN (SELECT "sourcedId" FROM {target.records} WHERE {target.not_held} AND NOT ({target.not_deleted}))'
    return (
        f"CASE WHEN {held} THEN CASE WHEN {is_stored} OR {is_elsewhere} THEN 'known' ELSE 'waiting' END"
        f" WHEN {deleted} THEN 'dangling' WHEN {is_elsewhere} THEN 'known' {_unmentioned(target, is_stored, accepted)} END"
    )


def _unmentioned(target: Staged, is_stored: str, accepted: Path | None) -> str:
    """SQL: the verdict on a reference to a record that the target's file does not mention at all."""
    if target.mode == "delta":
        known = accepted is not None and target.name in LOAD_ORDER
        return f"WHEN {is_stored} THEN 'known' ELSE '{'dangling' if known else 'known'}'"
    if not target.complete:
        return f"WHEN {is_stored} THEN 'known' ELSE 'waiting'"
    return "ELSE 'dangling'"


def _tell_of_missing_file(staging: Staging, staged: Staged, field: Field, findings: Findings) -> None:
    missing = staging.number("SELECT count(*) FROM offenders WHERE verdict = 'no-file'")
    if missing:
        words = f"{missing:,} references in {field.name} lead into {field.target}.csv, which is not in the package. Add it."
        findings.add(
            "reference-file", staged.file, 0, field.name, f"{field.target}.csv", words, count=missing
        )
