"""`rollbook import`: a delivery comes into a district's roster. The plan is shown first, and nothing happens until somebody says so."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.engine.package import NotAPackage
from rollbook.flows.districts import UPLOAD, find_district
from rollbook.flows.ingest import Prepared, carry_out, decline, prepare
from rollbook.store.models import Connection, Run

WORDS = {"create": "added", "update": "changed", "delete": "removed", "restore": "brought back"}


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("import")(import_package)


def import_package(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID or name.")],
    path: Annotated[
        Path, typer.Argument(help="The package: a zip or a folder of OneRoster 1.1 or 1.2 CSV files.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Apply the plan without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON; applies only with --yes.")] = False,
) -> None:
    """Judge a package, show what it would change, and apply it.

    Exit 0 when the roster is as the package says (or you said no), 1 when records were held back or the package was refused as a whole,
    2 when it is not a package.
    """
    connection = Connection.objects.get(district=find_district(district), kind=UPLOAD)
    try:
        prepared = prepare(connection, path, "command line")
    except NotAPackage as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from refusal
    if not as_json:
        _show(prepared)
    run = _decided(prepared, yes, as_json)
    typer.echo(json.dumps(_told(prepared, run)) if as_json else _outcome(run))
    raise typer.Exit(1 if run.outcome == "refused" or prepared.findings.failed else 0)


def _decided(prepared: Prepared, yes: bool, as_json: bool) -> Run:
    if prepared.summary is None or not prepared.changes or yes:
        return carry_out(prepared)
    if as_json or not typer.confirm("Apply this?", default=False):
        return decline(prepared)
    return carry_out(prepared)


def _show(prepared: Prepared) -> None:
    for code, severity, total, listed in prepared.findings.by_code():
        typer.echo(f"{severity}: {code.title} ({total:,}) [{code.code}]")
        for finding in listed[: 3 if severity in ("fatal", "error") else 1]:
            typer.echo(f"    {finding.file}:{finding.line} {finding.field} {finding.message}")
    if prepared.summary is None:
        return
    if not prepared.changes:
        typer.echo("The plan: nothing changes.")
        return
    typer.echo("The plan:")
    for collection, actions in prepared.summary.counts.items():
        words = [f"{count:,} {WORDS[action]}" for action, count in actions.items() if count]
        if words:
            typer.echo(f"    {collection:<18} {', '.join(words)}")
    for collection, held in prepared.summary.held.items():
        if held:
            typer.echo(f"    {collection:<18} {held:,} held back, see the findings")


def _outcome(run: Run) -> str:
    published = (
        f" Publication {run.publication} is served." if run.outcome == "success" and run.publication else ""
    )
    return f"Run {run.pk}: {run.outcome}. {run.message}{published}".strip()


def _told(prepared: Prepared, run: Run) -> dict[str, Any]:
    summary = prepared.summary
    return {
        "run": run.pk,
        "outcome": run.outcome,
        "message": run.message,
        "publication": run.publication,
        "counts": summary.counts if summary else {},
        "held": summary.held if summary else {},
        "findings": prepared.findings.counts(),
    }
