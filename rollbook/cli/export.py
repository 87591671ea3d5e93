"""`rollbook export`: what an app sees, written as a package of CSV files."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from rollbook.flows import apps, deliveries
from rollbook.flows.acting import actor
from rollbook.flows.deliveries import COMMAND, kept_package
from rollbook.flows.handing_over import walk
from rollbook.flows.jobs import own_process
from rollbook.store.models import Delivery


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("export")(export)


def export(
    grant: Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")],
    to: Annotated[
        Path, typer.Argument(help="A .zip to write, or a folder for the files (made if it is missing).")
    ],
    version: Annotated[str, typer.Option(help="1.1 or 1.2; without it, as the app's export is set.")] = "",
    delta: Annotated[
        bool,
        typer.Option(
            "--delta",
            help="Only what changed since the last delivery; everything, where that cannot be said.",
        ),
    ] = False,
    template: Annotated[
        Path | None,
        typer.Option(help="A file with a template: files and columns of your own instead of OneRoster's."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Write what an app sees, now, as a package of OneRoster CSV files."""
    if version not in ("", "1.1", "1.2"):
        raise typer.BadParameter("--version is 1.1 or 1.2.")
    text = template.read_text(encoding="utf-8") if template else ""
    with own_process() as process:
        asked = deliveries.ask(
            apps.find_grant(grant), COMMAND, actor().name, version=version,
            mode=deliveries.DELTA if delta else deliveries.BULK, template=text, process=process,
        )  # fmt: skip
        made = walk(asked.pk)
    if made is None or made.outcome != deliveries.SUCCESS:
        typer.echo(made.reason if made else "Another process has taken it over.", err=True)
        raise typer.Exit(1)
    _put(made, to)
    _tell(made, to, as_json)


def _put(made: Delivery, to: Path) -> None:
    """The package goes where it was asked for, and is kept nowhere else."""
    package = kept_package(made)
    if to.suffix.lower() == ".zip":
        shutil.copyfile(package, to)
    else:
        to.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(package) as archive:
            archive.extractall(to)
    deliveries.let_go(made)


def _tell(made: Delivery, to: Path, as_json: bool) -> None:
    if as_json:
        told = {
            "delivery": made.pk, "path": str(to), "mode": made.mode, "version": made.version, "publication": made.publication,
            "fromPublication": made.from_publication, "rows": made.counts, "bytes": made.bytes, "sha256": made.sha256,
            "reason": made.reason,
        }  # fmt: skip
        typer.echo(json.dumps(told))
        return
    for file, rows in made.counts.items():
        typer.echo(f"{file}: {rows:,} rows")
    typer.echo(
        f"{to}: {made.mode}, OneRoster {made.version}, publication {made.publication}. {made.reason}".strip()
    )
