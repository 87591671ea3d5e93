"""`rollbook validate`: judges a package without importing it. Exit 0 no errors, 1 errors found, 2 not a package."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rollbook.engine.findings import Finding, Findings
from rollbook.engine.judgement import judge
from rollbook.engine.package import NotAPackage
from rollbook.engine.preparation.steps import Step
from rollbook.flows.connections import find_connection
from rollbook.flows.preparation import steps_for
from rollbook.work_folders import work_folder

SHOWN_OF_A_CODE = 5

ERRORS_FOUND, NOT_A_PACKAGE = 1, 2


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(validate)


def validate(
    path: Annotated[Path, typer.Argument(help="A zip or a folder of OneRoster 1.1 or 1.2 CSV files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as a JSON array.")] = False,
    as_import: Annotated[
        bool,
        typer.Option(
            "--as-import",
            help="Judge as an import does: what can be read without guessing is repaired, with a warning.",
        ),
    ] = False,
    prepared_by: Annotated[
        int | None,
        typer.Option(
            help="The number of a connection: its preparation steps are applied first, as its imports do."
        ),
    ] = None,
) -> None:
    """Say what is wrong with a package, and what to do about it. Exit 0: no errors; 1: errors found; 2: not a package."""
    try:
        findings = _judged(path, as_import, steps_for(find_connection(prepared_by)) if prepared_by else ())
    except NotAPackage as refusal:
        typer.echo(refusal.words, err=True)
        raise typer.Exit(NOT_A_PACKAGE) from refusal
    if as_json:
        json.dump([one.as_dict() for one in findings], sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    else:
        _print(findings)
    if findings.failed:
        raise typer.Exit(ERRORS_FOUND)


def _judged(path: Path, lenient: bool, steps: Sequence[Step]) -> Findings:
    with (
        work_folder("validate") as work,
        judge(path, work, lenient=lenient, accepted=None, steps=steps) as judgement,
    ):
        return judgement.findings


def _print(findings: Findings) -> None:
    for code, severity, total, listed in findings.by_code():
        typer.echo(f"{severity}: {code.title} ({code.code}, {total:,})")
        for one in listed[:SHOWN_OF_A_CODE]:
            typer.echo(f"    {_place(one)}: {one.message}")
        if total > SHOWN_OF_A_CODE:
            typer.echo("    …")
    counts = {severity: number for severity, number in findings.counts().items() if number}
    summary = ", ".join(
        f"{number:,} {severity}{'' if number == 1 else 's'}" for severity, number in counts.items()
    )
    typer.echo(summary.replace("fatals", "fatal") or "No findings.")


def _place(one: Finding) -> str:
    """Where it is: file, line, whose record, field and value, as far as there are any."""
    place = one.file or "package"
    if one.line:
        place += f" line {one.line}"
    if one.source_id:
        place += f" ({one.source_id})"
    if one.field:
        place += f", {one.field}"
    if one.value:
        place += f" '{one.value}'"
    if one.delivered:
        place += f" (delivered as '{one.delivered}')"
    return place
