"""Rules: each is one condition whose offenders are findings. They follow from the tables of the standard; a few cross columns.

All conditions of a file are counted in one scan; only those that somebody offends are looked at again. What goes beyond one file is in
`references`.
"""

from dataclasses import dataclass

from rollbook.engine.findings import LISTED, Finding, Findings, shown
from rollbook.engine.headers import needed
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staged, Staging
from rollbook.engine.values import Repair, check_of
from rollbook.oneroster.spec import Field

UNIDENTIFIED = ("required", "guid")
"""Whose sourcedId offends these might be any record."""

LIFECYCLE = ("status", "dateLastModified")
UUID = "(urn:uuid:)?[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


@dataclass(frozen=True)
class Rule:
    """A condition on a record. `column` is the field a finding names; `hint`, if any, says more of what to do than the catalogue."""

    column: str
    code: str
    offends: str
    repairs: tuple[Repair, ...] = ()
    hint: str = ""


def judge_records(staging: Staging, staged: Staged, findings: Findings) -> None:
    """Judges the records of one file, and repairs what can be repaired when reading as an import does."""
    if not staged.rows:
        return
    offended = judge_rules(staging, staged, value_rules(staged, findings.lenient), findings)
    if offended or staged.mode != "bulk":  # else no status is filled
        _look_for_deletions(staging, staged)
    judge_rules(staging, staged, crossing_rules(staged), findings)
    _judge_duplicates(staging, staged, findings)


def value_rules(staged: Staged, lenient: bool) -> list[Rule]:
    """What the table says of each column by itself."""
    rules: list[Rule] = []
    for field in staged.table.fields:
        if not staged.has(field.name):
            continue
        if needed(field, staged.mode):
            code = "required" if field.required == "yes" else "delta-required"
            rules.append(Rule(field.name, code, f"{name(field.name)} = ''", (), f"Fill {field.name}."))
        rules += _typed(field, staged, lenient)
    if staged.mode == "bulk":
        rules += _blank_lifecycle(staged)
    return rules


def _typed(field: Field, staged: Staged, lenient: bool) -> list[Rule]:
    column = name(field.name)
    if field.type == "guidRef":
        return []  # looked at with what it refers to: one that leads to a sound record is sound
    unread = staged.mode == "bulk" and (
        field.name == "dateLastModified" or (field.name == "status" and not lenient)
    )
    check = None if unread else check_of(field, column, lenient)
    if check is None:
        return []
    offends = f"{column} <> '' AND {check.offends}"
    return [Rule(field.name, check.code, offends, check.repairs, _vocabulary_hint(field))]


def _vocabulary_hint(field: Field) -> str:
    if not field.vocabulary:
        return ""
    own = ", or a word of your own with ext: in front" if field.vocabulary.extensible else ""
    return f"Write one of: {', '.join(field.vocabulary.words)}{own}."


def _blank_lifecycle(staged: Staged) -> list[Rule]:
    filled = " OR ".join(f"{name(column)} <> ''" for column in LIFECYCLE if staged.has(column))
    return [Rule("status", "bulk-lifecycle", filled)] if staged.has("status") else []


def crossing_rules(staged: Staged) -> list[Rule]:
    """What the columns of one record say together."""
    rules = [
        Rule(
            last,
            "dates-reversed",
            # Text is cheaper than a moment; what is none is told of as such.
            f"{name(last)} <> '' AND {name(last)} < {name(first)} AND {_moment(last)} < {_moment(first)}",
        )
        for first, last in (("startDate", "endDate"), ("beginDate", "endDate"), ("assignDate", "dueDate"))
        if staged.has(first) and staged.has(last)
    ]
    if staged.has("resultValueMin") and staged.has("resultValueMax"):
        least, most = (
            f"TRY_CAST({name(column)} AS DOUBLE)" for column in ("resultValueMin", "resultValueMax")
        )
        rules.append(Rule("resultValueMin", "score-range", f"{least} > {most}"))
    if staged.has("learningObjectiveId") and staged.has("source"):
        wrong = f'NOT regexp_full_match("learningObjectiveId", {literal(UUID)})'
        rules.append(Rule("learningObjectiveId", "objective-id", f"\"source\" = 'case' AND {wrong}"))
    return rules


def _moment(column: str) -> str:
    return f"TRY_CAST({name(column)} AS TIMESTAMP)"


def judge_rules(staging: Staging, staged: Staged, rules: list[Rule], findings: Findings) -> bool:
    """Counts the offenders of all rules in one scan and takes up each rule that has some; whether any had."""
    if not rules:
        return False
    counts = ", ".join(f"count_if({rule.offends})" for rule in rules)
    totals = staging.one(f"SELECT {counts} FROM {staged.records}")
    for rule, total in zip(rules, totals, strict=True):
        if total:
            _take_up(staging, staged, rule, findings)
    return any(totals)


def _take_up(staging: Staging, staged: Staged, rule: Rule, findings: Findings) -> None:
    codes = "".join(f" WHEN {repair.when} THEN {literal(repair.code)}" for repair in rule.repairs)
    meant = "".join(f" WHEN {repair.when} THEN {repair.meant}" for repair in rule.repairs)
    staging.run(
        f'CREATE OR REPLACE TEMP TABLE offenders AS SELECT rowid AS r, {staged.line} AS line, "sourcedId" AS source_id,'
        f" {name(rule.column)} AS value, CASE{codes or ' WHEN false THEN NULL'} ELSE {literal(rule.code)} END AS code,"
        f" CASE{meant or ' WHEN false THEN NULL'} END AS meant FROM {staged.records} WHERE {rule.offends}"
    )
    for code, total in staging.connection.execute(
        "SELECT code, count(*) FROM offenders GROUP BY 1"
    ).fetchall():
        _report(staging, staged, rule, code, total, findings)
    if findings.lenient and rule.repairs:
        staging.run(
            f"UPDATE {staged.records} SET {name(rule.column)} = offenders.meant FROM offenders"
            f" WHERE {staged.records}.rowid = offenders.r AND offenders.meant IS NOT NULL"
        )


def _report(staging: Staging, staged: Staged, rule: Rule, code: str, total: int, findings: Findings) -> None:
    repaired = findings.lenient and code != rule.code
    sample = staging.connection.execute(
        "SELECT line, value, source_id, meant FROM offenders WHERE code = ? ORDER BY r LIMIT ?",
        [code, LISTED],
    ).fetchall()
    findings.flood(
        code,
        staged.file,
        total,
        (
            _finding(rule, code, line, value, source_id, f"Read as {shown(meant)}. " if repaired else "")
            for line, value, source_id, meant in sample
        ),
    )
    if findings.severity(code) == "error":
        hold(staging, staged, f"SELECT r FROM offenders WHERE code = {literal(code)}")
        if code in UNIDENTIFIED and rule.column == "sourcedId":
            staged.complete = False


def _finding(rule: Rule, code: str, line: int, value: str, source_id: str, before: str) -> Finding:
    hint = rule.hint if code == rule.code else ""
    return Finding(code, "", "", line, rule.column, value, before + hint, source_id)


def hold(staging: Staging, staged: Staged, rows: str) -> None:
    """Holds back the records that `rows` (SQL of one column r) names, because they are in error themselves."""
    staging.run(f"INSERT INTO {staged.holds} SELECT r, 'error', '', '' FROM ({rows})")
    staged.held = staging.number(f"SELECT count(DISTINCT r) FROM {staged.holds}")


def _look_for_deletions(staging: Staging, staged: Staged) -> None:
    if staged.has("status"):
        marked = f"SELECT count(*) FROM {staged.records} WHERE \"status\" = 'tobedeleted'"
        staged.deletions = staging.number(marked) > 0


def _judge_duplicates(staging: Staging, staged: Staged, findings: Findings) -> None:
    """Counts 64-bit hashes first, which is cheap; only those that meet are compared as text."""
    twins = f'SELECT hash("sourcedId") AS h FROM {staged.records} GROUP BY h HAVING count(*) > 1'
    if not staging.number(f"SELECT count(*) FROM ({twins})"):
        return
    staging.run(
        f'CREATE OR REPLACE TEMP TABLE offenders AS SELECT rowid AS r, {staged.line} AS line, "sourcedId" AS source_id,'
        f" \"sourcedId\" AS value, 'duplicate' AS code, NULL AS meant FROM {staged.records}"
        f' WHERE hash("sourcedId") IN ({twins}) AND "sourcedId" <> \'\''
        ' QUALIFY count(*) OVER (PARTITION BY "sourcedId") > 1'
    )
    total = staging.number("SELECT count(*) FROM offenders")
    if total:
        _report(staging, staged, Rule("sourcedId", "duplicate", ""), "duplicate", total, findings)
