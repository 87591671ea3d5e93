"""`rollbook delivery`: how apps are given packages by SFTP, and which they were given."""

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rollbook.cli.columns import answer, show
from rollbook.cli.connection import Secret, Set, filled
from rollbook.flows import apps, deliveries, export_tests, exports, own_files, samples
from rollbook.flows.acting import actor
from rollbook.flows.districts import find_district
from rollbook.flows.handing_over import walk
from rollbook.flows.jobs import own_process
from rollbook.store.models import Delivery, Grant

SHOWN = 50
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Version = Annotated[str, typer.Option(help="1.1 or 1.2; without it, as the app's export is set.")]
GrantNumber = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]
Number = Annotated[int, typer.Argument(help="The delivery's number: `rollbook delivery list` shows it.")]

verbs = typer.Typer(no_args_is_help=True, help="How apps are given packages, and which they were given.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="delivery")


@verbs.command()
def options(as_json: AsJson = False) -> None:
    """Show what can be set for an app's packages."""
    if as_json:
        known = (("always", exports.COMMON), *exports.WAYS.items())
        typer.echo(
            json.dumps([{"way": way, "settings": [asdict(one) for one in some]} for way, some in known])
        )
        return
    for way, some in (("always", exports.COMMON), *exports.WAYS.items()):
        typer.echo(f"{way}:")
        for option in some:
            marks = [word for word, on in (("required", option.required), ("secret", option.secret)) if on]
            marked = f" ({', '.join(marks)})" if marks else ""
            typer.echo(f"    {option.name}{marked}: {option.meaning}")


@verbs.command("set")
def set_export(
    grant: GrantNumber,
    way: Annotated[
        str,
        typer.Option(help="push: we bring packages to the app's server; pickup: it fetches them from ours."),
    ],
    settings: Set = None,
    secret: Secret = None,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Switch it on or off.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say how an app gets packages. What is not named stays; secrets too."""
    made = exports.set_export(
        apps.find_grant(grant), way, filled(settings, secret), actor().name, enabled=enabled
    )
    if as_json:
        typer.echo(json.dumps(exports.told(made)))
    else:
        state = "on" if made.enabled else "off; --enabled switches it on"
        typer.echo(f"Grant {grant} gets packages by {made.way}. It is {state}.")


@verbs.command()
def settings(grant: GrantNumber, as_json: AsJson = False) -> None:
    """Show how an app gets packages; secrets are never shown."""
    kept = exports.told(exports.the_export_of(apps.find_grant(grant)))
    if as_json:
        typer.echo(json.dumps(kept))
    else:
        for name, value in kept.items():
            typer.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")


@verbs.command()
def remove(grant: GrantNumber) -> None:
    """Give the app no packages any more; what it got stays known."""
    exports.remove_export(apps.find_grant(grant))
    typer.echo(f"Grant {grant} gets no packages any more.")


@verbs.command("test")
def try_export(grant: GrantNumber, as_json: AsJson = False) -> None:
    """Say what is found at the app's server; exit 1 with what is wrong."""
    test = export_tests.test_here(apps.find_grant(grant), actor().name)
    if test.outcome != export_tests.SUCCESS:
        typer.echo(test.reason or "Another test was begun meanwhile.", err=True)
        raise typer.Exit(1)
    answer(test.found, "\n".join(test.found), as_json)


@verbs.command()
def columns(grant: GrantNumber, version: Version = "", as_json: AsJson = False) -> None:
    """Show which files and columns an app's packages can hold: what its permissions keep back is not among them."""
    found = own_files.held_by(apps.find_grant(grant), _version_of(grant, version)).columns
    if as_json:
        typer.echo(json.dumps(found))
        return
    for table, names in found.items():
        typer.echo(f"{table}: {', '.join(names)}")


@verbs.command()
def sample(
    grant: GrantNumber,
    template: Annotated[
        Path | None, typer.Option(help="A file with a template; without it, the one that is set.")
    ] = None,
    version: Version = "",
    rows: Annotated[
        int, typer.Option(min=1, max=100, help="How many rows of each file.")
    ] = samples.MOST_ROWS,
    as_json: AsJson = False,
) -> None:
    """Show the first rows of an app's own files, as a package would have them now. They are personal data."""
    found = apps.find_grant(grant)
    text = template.read_text(encoding="utf-8") if template else exports.the_export_of(found).template
    shown = own_files.samples_of(found, text, _version_of(grant, version), rows)
    if as_json:
        typer.echo(json.dumps([{"file": file, **asdict(one)} for file, one in shown], ensure_ascii=False))
        return
    for file, one in shown:
        typer.echo(f"{file}:")
        lines = csv.writer(sys.stdout, lineterminator="\n")
        lines.writerows([one.titles, *one.rows])


@verbs.command()
def push(
    grant: GrantNumber,
    mode: Annotated[str, typer.Option(help="bulk or delta; without it, as it is set.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a package and give it to the app, now. Exit 0 when it has it, 1 when not, with the reason."""
    if mode not in ("", deliveries.BULK, deliveries.DELTA):
        raise typer.BadParameter("--mode is bulk or delta.")
    with own_process() as process:
        asked = deliveries.hand_over(apps.find_grant(grant), actor().name, mode=mode, process=process)
        walk(asked.pk)
    ended = deliveries.find_delivery(asked.pk)
    if as_json:
        typer.echo(json.dumps(told(ended)))
    else:
        typer.echo(f"Delivery {ended.pk}: {ended.outcome}. {ended.file_name} {ended.reason}".strip())
    raise typer.Exit(0 if ended.outcome == deliveries.SUCCESS else 1)


@verbs.command("list")
def list_deliveries(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID or name.")],
    grant: Annotated[int | None, typer.Option(help="Only those of this grant.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the latest deliveries of a district."""
    found = deliveries.deliveries_of(find_district(district))
    if grant is not None:
        found = found.filter(grant_id=grant)
    rows = [told(one) for one in found[:SHOWN]]
    show(
        rows if as_json else [_line(row) for row in rows],
        as_json,
        "`rollbook delivery push` brings a package to an app",
    )


@verbs.command("show")
def show_delivery(number: Number, as_json: AsJson = False) -> None:
    """Show one delivery: what went, how much, and how it ended."""
    row = told(deliveries.find_delivery(number))
    if as_json:
        typer.echo(json.dumps(row))
        return
    counts = row.pop("rows")
    for name, value in row.items():
        typer.echo(f"{name}: {'-' if value in (None, '') else value}")
    for file, count in dict(counts).items():
        typer.echo(f"    {file}: {count:,} rows")


@verbs.command()
def cancel(number: Number) -> None:
    """End a delivery that waits or is under way."""
    deliveries.cancel(deliveries.find_delivery(number), actor().name)
    typer.echo(f"Delivery {number} is cancelled.")


def _version_of(grant: int, version: str) -> str:
    if version not in ("", "1.1", "1.2"):
        raise typer.BadParameter("--version is 1.1 or 1.2.")
    export = exports.export_of(apps.find_grant(grant))
    return version or (export.version if export else "1.2")


def told(delivery: Delivery) -> dict[str, Any]:
    """A delivery as programs are told it."""
    return deliveries.told(delivery, _app(delivery))


def _app(delivery: Delivery) -> str:
    grant = Grant.objects.select_related("app").filter(pk=delivery.grant_id).first()
    return grant.title if grant else ""


def _line(row: dict[str, Any]) -> dict[str, Any]:
    names = (
        "delivery",
        "grant",
        "app",
        "startedAt",
        "way",
        "mode",
        "publication",
        "bytes",
        "outcome",
        "reason",
    )
    return {name: row[name] for name in names}
