"""`rollbook sanity`: what an app sees, counted and looked over; when that is done by itself, and what keeps an export back."""

import json
import sys
from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.engine.sanity.written import csv_lines
from rollbook.flows import sanity, sanity_plans
from rollbook.flows.acting import actor
from rollbook.flows.apps import find_grant
from rollbook.flows.timetable import WEEKDAYS
from rollbook.store.models import SanityCheck, SanityPlan

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]
LISTED = 20

verbs = typer.Typer(no_args_is_help=True, help="What an app sees, counted, and what is likely to trouble it.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="sanity")


@verbs.command()
def run(
    number: Number,
    as_csv: Annotated[bool, typer.Option("--csv", help="The report as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at everything an app sees, now. Exit 1 where a line is over the limit that keeps its export back."""
    grant = find_grant(number)
    made = sanity.check_now(grant, actor().name)
    _tell(made, as_csv, as_json)
    if blocked := sanity_plans.why_blocked(grant):
        typer.echo(f"Exports are kept back. {blocked}", err=True)
        raise typer.Exit(1)


@verbs.command("list")
def list_checks(number: Number, as_json: AsJson = False) -> None:
    """Show the checks of an app that are kept, the latest first."""
    show(
        [_row(one) for one in sanity.checks_of(find_grant(number))[:LISTED]],
        as_json,
        "`rollbook sanity run` makes the first",
    )


@verbs.command("show")
def show_check(
    number: Number,
    check: Annotated[int | None, typer.Option(help="Which; else the last that came to its end.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="The report as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a check found."""
    grant = find_grant(number)
    found = sanity.latest(grant) if check is None else sanity.find_check(grant, check)
    if found is None:
        typer.echo(f"No check has been made yet: `rollbook sanity run {number}` makes one.", err=True)
        raise typer.Exit(1)
    _tell(found, as_csv, as_json)


@verbs.command()
def schedule(
    number: Number,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at", help="A time of the district's day, as 02:30; without one, never. Repeat for more."
        ),
    ] = None,
    on: Annotated[
        str, typer.Option("--on", help="Weekdays, joined by commas: mon,tue,wed,thu,fri,sat,sun.")
    ] = ",".join(WEEKDAYS),
    as_json: AsJson = False,
) -> None:
    """Check an app by itself at these times of its district's clock."""
    plan = sanity_plans.set_times(find_grant(number), at or [], on.split(","), actor().name)
    told: Row = {
        "grant": number,
        "at": plan.times,
        "on": [WEEKDAYS[day] for day in plan.weekdays] if plan.times else [],
    }
    answer(told, f"Grant {number}: {_times(plan)}.", as_json)


@verbs.command()
def limit(
    number: Number,
    code: Annotated[str, typer.Argument(help="A line, such as classes-without-teachers.")],
    percent: Annotated[
        str, typer.Argument(help="Exports are kept back above so many per cent; none lifts the limit.")
    ],
    as_json: AsJson = False,
) -> None:
    """Keep an app's exports back while more than this share of a line's records is concerned."""
    share = None if percent == "none" else _percent(percent)
    plan = sanity_plans.set_limit(find_grant(number), code, share, actor().name)
    limits = ", ".join(f"{name} {value} %" for name, value in sorted(plan.limits.items()))
    answer({"grant": number, "limits": plan.limits}, f"Grant {number}: {limits or 'no limits'}.", as_json)


@verbs.command()
def licences(
    number: Number,
    figure: Annotated[str, typer.Argument(help="How many it is licensed for; none: that is not looked at.")],
    counted: Annotated[
        str, typer.Option("--of", help="Who needs one: people, students or teachers.")
    ] = "people",
    as_json: AsJson = False,
) -> None:
    """Say how many people an app is licensed for: a check tells when it would be given more."""
    most = None if figure == "none" else _whole(figure)
    plan = sanity_plans.set_licences(find_grant(number), most, counted, actor().name)
    told: Row = {"grant": number, "licences": plan.licences, "licensed": plan.licensed}
    said = "not looked at" if plan.licences is None else f"for {plan.licences:,} {plan.licensed}"
    answer(told, f"Grant {number}: licences {said}.", as_json)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise sanity_plans.BadLicences(text)
    return int(text)


def _percent(text: str) -> float:
    try:
        return float(text.rstrip(" %"))
    except ValueError as fault:
        raise sanity_plans.BadPercent(text) from fault


def _times(plan: SanityPlan) -> str:
    if not plan.times:
        return "checked by people only"
    return f"checked at {', '.join(plan.times)} on {', '.join(WEEKDAYS[day] for day in plan.weekdays)}"


def _row(one: SanityCheck) -> dict[str, object]:
    lines = sanity.report_of(one).lines
    concerned = {
        severity: sum(line.count for line in lines if line.severity == severity)
        for severity in ("error", "warning", "note")
    }
    return {
        "check": one.pk,
        "phase": one.phase,
        "startedAt": f"{one.started_at:%Y-%m-%d %H:%M}",
        "startedBy": one.started_by,
        "publication": one.publication,
        **concerned,
    }


def _tell(one: SanityCheck, as_csv: bool, as_json: bool) -> None:
    if as_csv:
        sys.stdout.writelines(csv_lines(sanity.report_of(one)))
    elif as_json:
        typer.echo(json.dumps(sanity.told(one), default=str))
    else:
        _print(one)


def _print(one: SanityCheck) -> None:
    report, earlier = sanity.report_of(one), sanity.before(one)
    was = {line.code: line.count for line in sanity.report_of(earlier).lines} if earlier else {}
    typer.echo(
        ", ".join(f"{number:,} {name}" for name, number in report.counts.items() if number)
        or "Nothing is seen."
    )
    typer.echo(", ".join(f"{number:,} {role}" for role, number in report.roles.items()))
    rows: list[dict[str, object]] = [
        {
            "severity": line.severity,
            "line": line.code,
            "count": f"{line.count:,}",
            "of": f"{line.among:,}",
            "change": f"{line.count - was[line.code]:+,}"
            if was.get(line.code, line.count) != line.count
            else "",
            "for example": ", ".join(example.id or example.said for example in line.examples[:3]),
        }
        for line in report.lines
        if line.count or line.group == "classic"
    ]
    show(rows, False)
