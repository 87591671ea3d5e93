"""Preparing: the steps of a connection applied to what was staged. Each table is rewritten once, however many steps it has.

What was delivered stays beside what was made of it, so that findings can name both; the lines stay those of the delivered file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rollbook.engine.findings import LISTED, Finding, Findings, shown
from rollbook.engine.headers import METADATA, first_line
from rollbook.engine.package import PackageFile
from rollbook.engine.preparation.expressions import Bound, best_org_making, best_orgs_sql, making
from rollbook.engine.preparation.kinds import PRIMARY_ORG
from rollbook.engine.preparation.steps import Step
from rollbook.engine.sql import name
from rollbook.engine.stage import Staged, Staging, stage_extra

LAST = "users"
"""Prepared behind the others: its main organizations follow from the enrollments as their own steps leave them."""


@dataclass(frozen=True)
class Outcome:
    """What came of one step, the `number`-th of all: how many of the `rows` of its file it changed, for how many it could do nothing
    (`rest`: values outside a table, records without a row, ties), how many rows of another file were not used.

    `idle` says why it was not applied at all.
    """

    number: int
    step: Step
    target: str = ""
    rows: int = 0
    changed: int = 0
    rest: int = 0
    unused: int = 0
    idle: str = ""


@dataclass
class _Rewriting:
    """One table on its way: SQL that grows by a layer a step, and the names by which steps know its columns."""

    staged: Staged
    columns: dict[str, str]
    sql: str = ""
    bound: Bound = field(default_factory=Bound)
    targets: dict[str, str] = field(default_factory=dict)
    applied: list[Outcome] = field(default_factory=list)


def extra_files(steps: Iterable[Step]) -> frozenset[str]:
    """The names of the files beside those of the standard that the steps read."""
    return frozenset(str(step.values["source"]) for step in steps if step.kind == "merge")


def prepare(
    staging: Staging, extras: Mapping[str, PackageFile], steps: Sequence[Step], findings: Findings
) -> list[Outcome]:
    """Applies the steps to the staged tables, in their order, and says what came of each that had a file to work on."""
    numbered = list(enumerate(steps, 1))
    outcomes: list[Outcome] = []
    for staged in sorted(staging.tables.values(), key=lambda one: one.name == LAST):
        own = [(number, step) for number, step in numbered if step.file == staged.name]
        if own:
            outcomes += _prepare_table(staging, staged, extras, own, findings)
    outcomes.sort(key=lambda outcome: outcome.number)
    for outcome in outcomes:
        _tell(outcome, findings)
    return outcomes


def _prepare_table(
    staging: Staging,
    staged: Staged,
    extras: Mapping[str, PackageFile],
    steps: list[tuple[int, Step]],
    findings: Findings,
) -> list[Outcome]:
    work = _Rewriting(staged, _columns(staged))
    idle: list[Outcome] = []
    layers = []
    for number, step in steps:
        outcome = _plan_step(staging, work, extras, number, step, findings)
        if outcome.idle:
            idle.append(outcome)
        else:
            work.applied.append(outcome)
            layers.append(outcome)
    if not layers:
        return idle
    _rewrite(staging, work)
    return idle + _counted(staging, work, findings)


def _columns(staged: Staged) -> dict[str, str]:
    """{name in a step: column of the staging table}"""
    own = {f"{METADATA}{key}": f"metadata_{place}" for key, place in staged.header.metadata.items()}
    return {column: column for column in staged.header.positions} | own


def _plan_step(
    staging: Staging,
    work: _Rewriting,
    extras: Mapping[str, PackageFile],
    number: int,
    step: Step,
    findings: Findings,
) -> Outcome:
    target = _target(work.staged, step, staging)
    idle = _missing(work, step, target)
    if idle:
        return Outcome(number, step, target, idle=idle)
    if step.kind == "merge":
        idle = _stage_source(staging, extras, number, step, findings)
    elif step.kind == "primary-org":
        idle = _rank_orgs(staging, number)
    if idle:
        return Outcome(number, step, target, idle=idle)
    for one in _targets(step, target):
        _make_column(work, one)
    return Outcome(number, step, target)


def _target(staged: Staged, step: Step, staging: Staging) -> str:
    """The field that is changed; in a 1.1 package the main organization is the first of several."""
    is_first_of_list = step.target == PRIMARY_ORG and PRIMARY_ORG not in staged.table.columns
    return "orgSourcedIds" if step.kind == "primary-org" and is_first_of_list else step.target


def _targets(step: Step, target: str) -> list[str]:
    if step.kind == "merge":
        return [f"{METADATA}{one}" for one in step.values["columns"].values()]
    return [target]


def _missing(work: _Rewriting, step: Step, target: str) -> str:
    """Why the step cannot be applied to this file; empty where it can."""
    read = [step.where.field] if step.where else []
    read += [step.values[one] for one in ("from", "key") if one in step.values]
    # A column of the standard made for some records only would empty it for the others, of whom the file says nothing.
    is_made = target.startswith(METADATA) and step.kind in ("set", "primary-org")
    is_made = is_made or (step.kind == "set" and step.where is None)
    if step.kind != "merge" and not is_made:
        read.append(target)
    for one in read:
        if one not in work.columns:
            return f"{work.staged.file} has no column {one}"
    if target and not target.startswith(METADATA) and target not in work.staged.table.columns:
        return f"{work.staged.file} of this version has no column {target}"
    return ""


def _make_column(work: _Rewriting, target: str) -> None:
    """Notes that a column is changed; one that the file does not have gets a place behind its last."""
    header = work.staged.header
    if target not in work.columns:
        place = max([header.count - 1, *header.positions.values(), *header.metadata.values()]) + 1
        if target.startswith(METADATA):
            header.metadata[target.removeprefix(METADATA)] = place
            work.columns[target] = f"metadata_{place}"
        else:
            header.positions[target] = place
            work.columns[target] = target
        work.targets[target] = "''"
    work.targets.setdefault(target, name(work.columns[target]))


def _stage_source(
    staging: Staging, extras: Mapping[str, PackageFile], number: int, step: Step, findings: Findings
) -> str:
    """Stages the file that a merge brings in, one row a key, as the table `source <number>`; or says why not."""
    file = extras.get(step.values["source"])
    if file is None:
        return f"{step.values['source']} is not in the package"
    there = [one.strip() for one in first_line(file.path)]
    wanted = {"sourcedId": step.values["source_key"]} | {
        f"brought {place}": column for place, column in enumerate(step.values["columns"])
    }
    for column in wanted.values():
        if there.count(column) != 1:
            return f"{file.name} has no column {column}, or has it twice"
    places = {label: there.index(column) for label, column in wanted.items()}
    staged = stage_extra(staging, file, f"source {number}", len(there), places, findings)
    if staged is None:
        return f"{file.name} cannot be read"
    key = 'lower("sourcedId")' if step.values["case"] == "any" else '"sourcedId"'
    staging.run(
        f'CREATE TABLE {name(f"source {number}")} AS SELECT * EXCLUDE ("sourcedId"), {key} AS key, count(*) OVER (PARTITION BY {key}) AS twins'
        f" FROM {staged.records} WHERE \"sourcedId\" <> '' QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY rowid) = 1"
    )
    staging.run(f"DROP TABLE {staged.records}")
    return ""


def _rank_orgs(staging: Staging, number: int) -> str:
    enrollments = staging.tables.get("enrollments")
    if enrollments is None or enrollments.mode != "bulk":
        return "there is no complete enrollments.csv in the package"
    if not (enrollments.has("userSourcedId") and enrollments.has("schoolSourcedId")):
        return "enrollments.csv does not say who is where"
    alive = "\"status\" <> 'tobedeleted'" if enrollments.has("status") else "true"
    staging.run(f"CREATE TABLE {name(f'best {number}')} AS {best_orgs_sql(enrollments.records, alive)}")
    return ""


def _rewrite(staging: Staging, work: _Rewriting) -> None:
    """The table anew: the line in a column of its own, what was delivered in `delivered <field>`, what each step did in `step <number>`."""
    staged = work.staged
    delivered = [f"{sql} AS {name(f'delivered {target}')}" for target, sql in work.targets.items()]
    made = [f"'' AS {name(work.columns[target])}" for target, sql in work.targets.items() if sql == "''"]
    line = [] if staged.careful else [f'{staged.line} AS "line"']
    work.sql = f"SELECT {', '.join(['*', *line, *made, *delivered])} FROM {staged.records}"
    for outcome in work.applied:
        _add_layer(work, outcome)
    kept = ", ".join(
        f"CASE WHEN {_delivered(target)} <> {name(work.columns[target])} THEN {_delivered(target)} END AS {_delivered(target)}"
        for target in work.targets
    )
    prepared = name(f"prepared_{staged.name}")
    staging.connection.execute(
        f"CREATE TABLE {prepared} AS SELECT * REPLACE ({kept}) FROM ({work.sql})", work.bound.values
    )
    staging.run(f"DROP TABLE {staged.records}")
    staging.run(f"ALTER TABLE {prepared} RENAME TO {staged.records}")
    staged.careful = True


def _delivered(target: str) -> str:
    return name(f"delivered {target}")


def _add_layer(work: _Rewriting, outcome: Outcome) -> None:
    number, step = outcome.number, outcome.step
    changed, rest = name(f"step {number}"), name(f"rest {number}")
    if step.kind == "merge":
        work.sql = _merge_layer(work, outcome, changed, rest)
        return
    column = name(work.columns[outcome.target])
    joined = ""
    if step.kind == "primary-org":
        made = best_org_making(step, column, outcome.target)
        joined = f' LEFT JOIN {name(f"best {number}")} best ON best.user_id = q."sourcedId"'
    else:
        made = making(step, column, work.columns, _is_list(work.staged, outcome.target), work.bound)
    computed = f"SELECT q.*, {made.value} AS made, {made.rest} AS {rest} FROM ({work.sql}) q{joined}"
    work.sql = (
        f"SELECT * EXCLUDE (made) REPLACE (made AS {column}), made <> {column} AS {changed} FROM ({computed})"
    )


def _is_list(staged: Staged, target: str) -> bool:
    return target in staged.table.columns and staged.table.field(target).is_list


def _merge_layer(work: _Rewriting, outcome: Outcome, changed: str, rest: str) -> str:
    values = outcome.step.values
    key = f"q.{name(work.columns[values['key']])}"
    folded = f"lower({key})" if values["case"] == "any" else key
    columns = [name(work.columns[f"{METADATA}{one}"]) for one in values["columns"].values()]
    brought = [f"brought.{name(f'brought {place}')}" for place in range(len(columns))]
    pairs = list(zip(columns, brought, strict=True))
    differs = " OR ".join(f"({new} IS NOT NULL AND {new} <> q.{old})" for old, new in pairs)
    replaced = ", ".join(f"coalesce({new}, q.{old}) AS {old}" for old, new in pairs)
    return (
        f"SELECT q.* REPLACE ({replaced}), ({differs}) AS {changed}, brought.key IS NULL AS {rest} FROM ({work.sql}) q"
        f" LEFT JOIN {name(f'source {outcome.number}')} brought ON brought.key = {folded}"
    )


def _counted(staging: Staging, work: _Rewriting, findings: Findings) -> list[Outcome]:
    """What each step did, counted in one scan."""
    counts = [
        f"count_if({name(f'step {one.number}')}), count_if({name(f'rest {one.number}')})"
        for one in work.applied
    ]
    rows, *numbers = staging.one(f"SELECT count(*), {', '.join(counts)} FROM {work.staged.records}")
    found = []
    for place, outcome in enumerate(work.applied):
        changed, rest = numbers[2 * place : 2 * place + 2]
        done = replace(
            outcome,
            rows=int(str(rows)),
            changed=int(str(changed)),
            rest=int(str(rest)),
            unused=_unused(staging, work, outcome),
        )
        _tell_rest(staging, work, done, findings)
        found.append(done)
    return found


def _unused(staging: Staging, work: _Rewriting, outcome: Outcome) -> int:
    if outcome.step.kind != "merge":
        return 0
    key = name(work.columns[outcome.step.values["key"]])
    folded = f"lower({key})" if outcome.step.values["case"] == "any" else key
    return staging.number(
        f"SELECT count(*) FROM {name(f'source {outcome.number}')} WHERE key NOT IN (SELECT {folded} FROM {work.staged.records})"
    )


def _tell(outcome: Outcome, findings: Findings) -> None:
    step, file = outcome.step, f"{outcome.step.file}.csv"
    if outcome.idle:
        words = f"Step {outcome.number}, {step.title}, was not applied: {outcome.idle}. "
        findings.add("preparation-idle", file, 0, outcome.target, message=words)
    elif outcome.changed:
        words = (
            f"Step {outcome.number}, {step.title}, changed {outcome.changed:,} of {outcome.rows:,} records."
        )
        findings.add("prepared", file, 0, outcome.target, message=words, count=outcome.changed)


def _tell_rest(staging: Staging, work: _Rewriting, outcome: Outcome, findings: Findings) -> None:
    """Ties, records without a row, rows without a record, and values outside a table."""
    step, file = outcome.step, work.staged.file
    if step.kind == "primary-org" and outcome.rest:
        _tell_ties(staging, work, outcome, findings)
        return
    told = [(outcome.rest, _rest_words(step)), (outcome.unused, "rows of {source} belong to no record")]
    if step.kind == "merge":
        told.append(
            (_twins(staging, outcome), "keys stand in several rows of {source}, of which the first counts")
        )
    for number, words in told:
        if number:
            said = words.format(source=step.values.get("source", ""), file=file)
            findings.add(
                "preparation-unmatched",
                file,
                0,
                outcome.target,
                message=f"Step {outcome.number}: {number:,} {said}.",
                count=number,
            )


def _rest_words(step: Step) -> str:
    if step.kind == "merge":
        return "records of {file} have no row in {source}"
    become = {
        "keep": "stay as they are",
        "empty": "become empty",
        "set": f"become '{step.values.get('others_to')}'",
    }
    return (
        f"records have values that are not in the table; these {become[step.values['others']]}"
        if step.kind == "map"
        else ""
    )


def _twins(staging: Staging, outcome: Outcome) -> int:
    return staging.number(f"SELECT count(*) FROM {name(f'source {outcome.number}')} WHERE twins > 1")


def _tell_ties(staging: Staging, work: _Rewriting, outcome: Outcome, findings: Findings) -> None:
    column = name(work.columns[outcome.target])
    sample = staging.connection.execute(
        f'SELECT "line", "sourcedId", {column} FROM {work.staged.records} WHERE {name(f"rest {outcome.number}")} ORDER BY 1 LIMIT {LISTED}'
    ).fetchall()
    findings.flood(
        "preparation-tie", work.staged.file, outcome.rest,
        (Finding("preparation-tie", "", "", line, outcome.target, value, "", source_id) for line, source_id, value in sample),
    )  # fmt: skip


def name_delivered(staging: Staging, outcomes: Iterable[Outcome], findings: Findings) -> None:
    """Adds to each listed finding about a value that a step made what was delivered instead."""
    changed = {
        (f"{one.step.file}.csv", target)
        for one in outcomes
        if not one.idle
        for target in _targets(one.step, one.target)
    }
    for file, target in sorted(changed):
        staged = staging.tables.get(file.removesuffix(".csv"))
        about = [one for one in findings.listed if (one.file, one.field) == (file, target) and one.line]
        if staged is None or not about:
            continue
        lines = ", ".join(str(one.line) for one in about)
        delivered = dict(
            staging.connection.execute(
                f'SELECT "line", {_delivered(target)} FROM {staged.records} WHERE "line" IN ({lines}) AND {_delivered(target)} IS NOT NULL'
            ).fetchall()
        )
        _name_in(findings, {(file, target, line): value for line, value in delivered.items()})


def _name_in(findings: Findings, delivered: Mapping[tuple[str, str, int], str]) -> None:
    for place, one in enumerate(findings.listed):
        value = delivered.get((one.file, one.field, one.line))
        if value is not None:
            findings.listed[place] = replace(one, delivered=shown(value))
