"""`rollbook audit`: what was done, by whom and when; exported as a file; and whether anything of it was changed since."""

import csv
import json
import sys
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.flows import audit
from rollbook.flows.districts import find_district
from rollbook.store.models import AuditEntry, AuditHead
from rollbook.store.models.auditing import INSTALLATION

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
OfDistrict = Annotated[
    str,
    typer.Option("--district", help="Its Tenant ID or name; without it the log of the installation itself."),
]
Search = Annotated[str, typer.Option(help="Only entries that have this anywhere in them.")]
ActName = Annotated[
    str, typer.Option("--act", help="Only this act, such as key.revoke, or this family of acts, such as key.")
]
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="From this day on, which begins at midnight UTC."),
]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Up to this day, and including it.")
]


class Format(StrEnum):
    """How entries are written into a file."""

    CSV = "csv"
    JSON = "jsonl"


verbs = typer.Typer(no_args_is_help=True, help="The audit log: what was done, by whom and when.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="audit")


@verbs.command("list")
def list_entries(
    district: OfDistrict = "",
    search: Search = "",
    act: ActName = "",
    since: Since = None,
    until: Until = None,
    most: Annotated[int, typer.Option(help="So many, the latest first.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Show entries of the audit log, the latest first."""
    found = audit.entries(_chain(district), search, act, since=_day(since), until=_day(until, 1))[:most]
    show(
        [audit.told(entry) if as_json else _row(entry) for entry in found],
        as_json,
        "nothing that was looked for is recorded",
    )


@verbs.command()
def export(
    district: OfDistrict = "",
    search: Search = "",
    act: ActName = "",
    since: Since = None,
    until: Until = None,
    form: Annotated[Format, typer.Option("--format", help="CSV, or a JSON object a line.")] = Format.CSV,
) -> None:
    """Write entries to standard output, the oldest first, with their hashes."""
    found = audit.entries(_chain(district), search, act, since=_day(since), until=_day(until, 1))
    if form == Format.CSV:
        csv.writer(sys.stdout).writerows(audit.rows(found))
    else:
        for entry in found.order_by("number").iterator(chunk_size=1000):
            typer.echo(json.dumps(audit.told(entry), ensure_ascii=False))


@verbs.command()
def verify(
    district: Annotated[
        str, typer.Option("--district", help="Only the log of this district: its Tenant ID or name.")
    ] = "",
    known: Annotated[
        str, typer.Option(help="With --district: NUMBER:HASH of an entry as it was noted earlier.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check that no entry was changed, taken out or put in. Exit 1 where one was.

    Note the number and hash it prints somewhere else: with --known they prove later that the log before it is still the same.
    """
    chains = [_chain(district)] if district else _every_chain()
    rows = []
    for chain in chains:
        verdict = audit.verify(chain, _known(known) if district else None)
        rows.append(
            {
                "tenantId": chain,
                "entries": verdict.entries,
                "hash": verdict.hash,
                "holds": verdict.holds,
                "wrong": verdict.wrong,
            }
        )
    show(rows, as_json)
    raise typer.Exit(0 if all(row["holds"] for row in rows) else 1)


def _chain(district: str) -> int | None:
    return find_district(district).pk if district else None


def _every_chain() -> list[int | None]:
    chains = AuditHead.objects.order_by("district_id").values_list("district_id", flat=True)
    return [None if chain == INSTALLATION else chain for chain in chains]


def _known(text: str) -> tuple[int, str] | None:
    number, _, mark = text.partition(":")
    if not text:
        return None
    if not number.isdecimal() or not mark:
        raise typer.BadParameter("write NUMBER:HASH, as verify prints them", param_hint="--known")
    return int(number), mark.strip()


def _day(day: date | None, more: int = 0) -> datetime | None:
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=more)


def _row(entry: AuditEntry) -> dict[str, object]:
    at = datetime.fromtimestamp(entry.at / 1000, UTC)
    return {
        "number": entry.number,
        "at": f"{at:%Y-%m-%d %H:%M:%S}",
        "actor": entry.actor,
        "act": entry.act,
        "object": f"{entry.kind} {entry.object}",
        "about": entry.about,
    }
