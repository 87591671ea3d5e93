"""`rollbook compare`: a package or a list of people, held against the roster, another server or another package. Nothing is stored."""

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.connection import Secret, Set, filled
from rollbook.connectors.contract import ConnectorRefusal
from rollbook.engine.compare import OUTCOMES, Compared
from rollbook.engine.package import NotAPackage
from rollbook.engine.tabular import NotATable
from rollbook.flows import compare as flow
from rollbook.flows.connections import find_connection, upload_of
from rollbook.flows.districts import find_district
from rollbook.work_folders import work_folder

DIFFERENT, UNREADABLE = 1, 2
WORDS = {
    "matched": "in both",
    "different": "of them differ",
    "only-first": "only in the {first}",
    "only-second": "only in the {second}",
    "ambiguous": "share their key: more than one fits",
    "held": "on broken lines",
}


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(compare)


def compare(
    path: Annotated[
        Path,
        typer.Argument(
            help="A package (zip or folder), one CSV file of the standard, or any CSV list of people."
        ),
    ],
    against: Annotated[
        str, typer.Option("--with", help="district, api, connection, or the path of another package.")
    ] = "district",
    district: Annotated[
        str, typer.Option(help="The district whose roster it is: its Tenant ID or name.")
    ] = "",
    connection: Annotated[
        int | None, typer.Option(help="The connection whose records, or whose server, it is compared with.")
    ] = None,
    settings: Set = None,
    secret: Secret = None,
    by: Annotated[
        str, typer.Option(help="Look for the people of a list by sourcedId, username, identifier or email.")
    ] = "",
    column: Annotated[
        str, typer.Option(help="The column of the list in which that stands; else it is guessed.")
    ] = "",
    field: Annotated[
        list[str] | None,
        typer.Option(help="Compare COLUMN=FIELD, for example Surname=familyName. Repeat for more."),
    ] = None,
    collection: Annotated[
        list[str] | None, typer.Option(help="Only this collection of a package. Repeat for more.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="An empty or new folder for the CSV files of what was found.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Say what two sides have in common and where they differ. A list is looked up in the roster by one column; a package by sourcedId.

    Exit 0 when they agree, 1 when they do not, 2 when one cannot be read.
    """
    if out is not None and out.exists() and any(out.iterdir()):
        raise typer.BadParameter(f"{out} is not empty")
    with work_folder("compare") as folder:
        work = folder / "work"
        try:
            if by or flow.is_list(path):
                pairs = [(name, value) for name, _, value in (one.partition("=") for one in field or [])]
                found = [flow.compare_list(path, find_district(district), by or "email", work, column, pairs)]
            else:
                found = _packages(
                    path, against, district, connection, filled(settings, secret), work, collection or []
                )
        except (NotAPackage, NotATable, ConnectorRefusal) as refusal:
            typer.echo(refusal.words, err=True)
            raise typer.Exit(UNREADABLE) from refusal
        if out is not None:
            _keep(found, out)
    typer.echo(json.dumps([_told(one) for one in found])) if as_json else _print(found, out)
    raise typer.Exit(0 if all(one.agrees for one in found) else DIFFERENT)


def _packages(
    path: Path,
    against: str,
    district: str,
    connection: int | None,
    settings: dict[str, str],
    work: Path,
    collections: list[str],
) -> list[Compared]:
    def say(words: str) -> None:
        typer.echo(words, err=True)

    if against == "district":
        return flow.compare_with_roster(
            path, upload_of(find_district(district), connection), work, collections
        )
    if against == "connection":
        if connection is None:
            raise typer.BadParameter("say which: --connection NUMBER")
        return flow.compare_with_connection(path, find_connection(connection), work, say, collections)
    if against == "api":
        return flow.compare_with_server(path, settings, work, say, collections)
    return flow.compare_packages(path, Path(against), work, collections)


def _keep(found: list[Compared], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for one in found:
        for file in one.files.values():
            shutil.copyfile(file, out / file.name)


def _print(found: list[Compared], out: Path | None) -> None:
    for one in found:
        names = {"first": one.first, "second": one.second}
        counts = [
            f"{one.counts[outcome]:,} {WORDS[outcome].format(**names)}"
            for outcome in OUTCOMES
            if one.counts[outcome]
        ]
        typer.echo(f"{one.title}: {', '.join(counts) or 'nothing'}")
        for name, number in one.fields.items():
            typer.echo(f"    {name} differs {number:,} times")
        for label, columns in ((one.first, one.columns_first), (one.second, one.columns_second)):
            if columns:
                typer.echo(f"    only the {label} has {', '.join(columns)}")
    if out is not None:
        typer.echo(f"The records are in {out}.")


def _told(one: Compared) -> dict[str, object]:
    return {
        "title": one.title,
        "first": one.first,
        "second": one.second,
        "counts": one.counts,
        "fields": one.fields,
        "columnsOnlyInFirst": list(one.columns_first),
        "columnsOnlyInSecond": list(one.columns_second),
        "files": [file.name for file in one.files.values()],
    }
