"""`rollbook schedule`: when connections are asked by themselves, by their district's clock."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from django.utils import timezone

from rollbook.cli.columns import Row, answer, show
from rollbook.flows import timetable
from rollbook.flows.acting import actor
from rollbook.flows.connections import find_connection
from rollbook.flows.districts import find_district
from rollbook.store.models import Schedule

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The connection's number: `rollbook connection list` shows it.")]

verbs = typer.Typer(no_args_is_help=True, help="When connections are asked by themselves.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="schedule")


@verbs.command("show")
def show_schedules(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID or name.")],
    as_json: AsJson = False,
) -> None:
    """Show what runs when in a district, and what today's days mean for each connection."""
    show(
        [_row(planned) for planned in timetable.timetable(find_district(district), timezone.now())],
        as_json,
        "`rollbook connection add` makes a connection that can be asked",
    )


@verbs.command("set")
def set_schedule(
    number: Number,
    at: Annotated[
        list[str], typer.Option("--at", help="A time of the district's day, as 02:30. Repeat for more.")
    ],
    on: Annotated[
        str, typer.Option("--on", help="Weekdays, joined by commas: mon,tue,wed,thu,fri,sat,sun.")
    ] = ",".join(timetable.WEEKDAYS),
    as_json: AsJson = False,
) -> None:
    """Ask a connection at these times of its district's clock: once each, on the days too when the clock is changed."""
    schedule = timetable.set_schedule(find_connection(number), at, on.split(","), actor().name)
    told: Row = {
        "connection": number,
        "at": schedule.times,
        "on": [timetable.WEEKDAYS[day] for day in schedule.weekdays],
        "next": _next(schedule),
    }
    answer(told, f"Connection {number}: {_words(schedule)}. Next: {_next(schedule)}.", as_json)


@verbs.command("clear")
def clear_schedule(number: Number) -> None:
    """Ask a connection no longer by itself; `rollbook connection run` still does."""
    had = timetable.clear_schedule(find_connection(number))
    typer.echo(f"Connection {number} {'is no longer asked by itself' if had else 'had no schedule'}.")


def _row(planned: timetable.Planned) -> dict[str, object]:
    schedule = planned.schedule
    return {
        "connection": planned.connection.pk,
        "name": planned.connection.name,
        "at": schedule.times if schedule else [],
        "on": [timetable.WEEKDAYS[day] for day in schedule.weekdays] if schedule else [],
        "next": _next(schedule) if schedule else "",
        "blackoutUntil": str(planned.blackout or ""),
        "additionsOnlyUntil": str(planned.additions or ""),
        "kept": planned.kept,
    }


def _words(schedule: Schedule) -> str:
    return f"{', '.join(schedule.times)} on {', '.join(timetable.WEEKDAYS[day] for day in schedule.weekdays)}"


def _next(schedule: Schedule) -> str:
    """The next start by the district's clock, with its offset; empty where the connection is switched off."""
    due = timetable.next_start(schedule, timezone.now())
    zone = ZoneInfo(schedule.connection.district.time_zone)
    return due.at.astimezone(zone).isoformat(timespec="minutes") if due else ""
