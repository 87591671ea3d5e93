"""`rollbook access`: what apps took, who was disclosed to them, what they may read and do not, and how much they may take in a day."""

import csv
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from rollbook.cli.columns import show
from rollbook.flows import access_history, disclosure
from rollbook.flows.apps import find_grant
from rollbook.flows.districts import find_district
from rollbook.refusal import Refusal
from rollbook.store.models import District, User

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]

verbs = typer.Typer(no_args_is_help=True, help="What apps took, and how much they may take.")


class NoSuchPerson(Refusal):
    """No person of this district has this sourcedId, and none had it."""


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="access")


@verbs.command()
def history(
    grant: Number,
    days: Annotated[int, typer.Option(help="Of so many days.", min=1)] = 30,
    most: Annotated[int, typer.Option(help="So many, the latest first.", min=1, max=10_000)] = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV; that is audited.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every call an app made and every package it was given."""
    since, one = int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000), find_grant(grant)
    if as_csv:
        access_history.note_export(one, days)
        csv.writer(sys.stdout).writerows(access_history.csv_rows(one, since))
        return
    found = access_history.takings(one, since, 1, most)
    show(
        [_row(one) for one in found], as_json, "no app has read; `rollbook key add` makes a key to read with"
    )


@verbs.command()
def person(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID or name.")],
    sourced_id: Annotated[str, typer.Argument(help="The person's sourcedId.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV, with the fields.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every app that received a person's records: since when, how often, which fields."""
    place = find_district(district)
    found = disclosure.disclosures(place, _person(place, sourced_id), datetime.now(UTC))
    if as_csv:
        csv.writer(sys.stdout).writerows(disclosure.rows(found))
        return
    show(
        [_disclosed(one) for one in found],
        as_json,
        "no app has received them; `rollbook access history` shows what apps read",
    )


@verbs.command()
def unused(grant: Number, as_json: AsJson = False) -> None:
    """Show what an app may read and did not within the last 90 days: candidates for sharing less."""
    found = disclosure.unused(find_grant(grant), datetime.now(UTC))
    rows: list[dict[str, object]] = [
        {"collection": one.collection, "records": one.records, "fields": list(one.fields or ["(all)"])}
        for one in found
    ]
    show(rows, as_json, "every field that is shared has been read")


@verbs.command()
def allow(
    grant: Number,
    requests: Annotated[int | None, typer.Option(help="Requests a day; 0 for no limit.", min=0)] = None,
    records: Annotated[int | None, typer.Option(help="Records a day; 0 for no limit.", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Say how much an app may take in a day, from midnight to midnight UTC, or show it."""
    found = find_grant(grant)
    if (requests, records) != (None, None):
        wanted = (found.daily_requests if requests is None else requests or None,
                  found.daily_records if records is None else records or None)  # fmt: skip
        found = access_history.set_allowance(found, *wanted)
    today = access_history.days(found, datetime.now(UTC), 1)[0]
    row: dict[str, object] = {
        "grant": found.pk,
        "app": found.title,
        "requests": found.daily_requests,
        "records": found.daily_records,
        "requestsToday": today.requests,
        "recordsToday": today.records,
    }
    show([row], as_json)


def _person(district: District, sourced_id: str) -> User:
    found = User.objects.filter(district=district, sourced_id=sourced_id).first()
    if found is None:
        raise NoSuchPerson(sourced_id)
    return found


def _row(one: access_history.Taking) -> dict[str, object]:
    return {
        "at": disclosure.moment(one.at),
        "kind": one.kind,
        "what": one.what,
        "version": one.version,
        "fields": list(one.fields),
        "records": one.records,
        "status": one.status,
        "milliseconds": one.milliseconds,
        "address": one.address,
        "key": one.key,
    }


def _disclosed(one: disclosure.Disclosure) -> dict[str, object]:
    return {
        "app": one.grant.title,
        "grant": one.grant.pk,
        "since": disclosure.moment(one.since),
        "until": disclosure.moment(one.until) or None,
        "calls": one.reads,
        "packages": one.deliveries,
        "first": disclosure.moment(one.first) or None,
        "last": disclosure.moment(one.last) or None,
        "collections": sorted(one.fields),
    }
