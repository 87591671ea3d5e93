"""Rehearsals: what a delivery would do on a day to come, told before anything happens. Nothing of it is kept but the report.

It is planned against the roster of today, with the days, limits and sessions of that day: what other nights bring until then is not known.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection as database
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.engine.calendar import instant_of
from rollbook.engine.findings import Findings
from rollbook.engine.outlook import look_ahead
from rollbook.engine.plan import PlanSummary, make_plan
from rollbook.engine.safeguards import Hazard
from rollbook.engine.telling import Tell, untold
from rollbook.flows.ingest import judged
from rollbook.flows.limits import weigh
from rollbook.flows.preparation import steps_for
from rollbook.flows.spans import additions_end, blackout_end, today_of, zone_of
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.deliveries import accepted_for
from rollbook.store.models import Connection, District, Rehearsal, Snapshot
from rollbook.store.target import first_free_ids
from rollbook.work_folders import work_folder

FARTHEST = timedelta(days=800)
LISTED = 50
"""Reports kept of a district; the oldest make room."""

CODES = 20


class BadDay(Refusal):
    """A rehearsal is for today or a day within the next two years, written as 2026-08-10."""


class NothingToRehearse(Refusal):
    """No delivery of this connection is kept: give a package."""


class RosterMoved(Refusal):
    """The roster changed during the rehearsal. Rehearse again."""


class NoSuchRehearsal(Refusal):
    """There is no report of such a rehearsal."""


@dataclass(frozen=True)
class _Place:
    """The folders of one rehearsal, and who hears how far it is."""

    work: Path
    tell: Tell = untold

    @property
    def accepted(self) -> Path:
        return self.work / "accepted"

    @property
    def staged(self) -> Path:
        return self.work / "staged"

    @property
    def out(self) -> Path:
        return self.work / "out"


class Report(NamedTuple):
    """What is told of a rehearsal: names as in JSON answers; and of what delivery it tells."""

    told: dict[str, Any]
    about: str


def rehearse(connection: Connection, delivery: Path | None, on: date, by: str, name: str = "") -> Rehearsal:
    """The report on `delivery`, a package, or on the connection's newest kept one. `name` is what the package is called, if not as its file.

    Raises BadDay, NothingToRehearse, NotAPackage, RosterMoved.
    """
    refuse_bad_day(connection, on)
    with work_folder("rehearse") as work:
        report = make_report(connection, delivery, on, work)
    return keep_report(connection, report, on, by, name or (delivery.name if delivery else ""))


def refuse_bad_day(connection: Connection, on: date) -> None:
    """Raises BadDay."""
    today = today_of(connection.district)
    if not today <= on <= today + FARTHEST:
        raise BadDay(str(on))


def make_report(
    connection: Connection, delivery: Path | None, on: date, work: Path, tell: Tell = untold
) -> Report:
    """The report, and the name of what it is about, kept nowhere yet. `work` is an empty folder.

    Raises NothingToRehearse, NotAPackage, RosterMoved.
    """
    snapshot = None if delivery else newest(connection)
    path = delivery or shelf.place(snapshot.shelf_name if snapshot else "")
    told = _report(connection, path, _Place(work, tell), today_of(connection.district), on)
    return Report(told, path.name if snapshot is None else f"snapshot {snapshot.pk}")


def keep_report(connection: Connection, report: Report, on: date, by: str, name: str = "") -> Rehearsal:
    """`name` is what the package is called, if not as its file."""
    district, called = connection.district, (name or report.about)[:200]
    kept = Rehearsal.objects.create(
        district=district, connection=connection, on_day=on, delivery=called, report=report.told, asked_by=by
    )
    _forget_the_oldest(district)
    return kept


def newest(connection: Connection) -> Snapshot:
    """Raises NothingToRehearse."""
    found = connection.snapshots.filter(removed_at__isnull=True).order_by("-pk").first()
    if found is None:
        raise NothingToRehearse(connection.name)
    return found


def rehearsals_of(district: District) -> QuerySet[Rehearsal]:
    """The latest first."""
    return Rehearsal.objects.filter(district=district).select_related("connection").order_by("-pk")


def find_rehearsal(district: District, number: int) -> Rehearsal:
    """Raises NoSuchRehearsal."""
    found = rehearsals_of(district).filter(pk=number).first()
    if found is None:
        raise NoSuchRehearsal(str(number))
    return found


def verdict_words(report: dict[str, Any]) -> str:
    """What would become of the delivery, in a sentence or two."""
    held = " It would be held, and wait for a person." if report["hazards"] else ""
    return {
        "refused": "The delivery cannot be read as a whole: nothing of it would be applied.",
        "kept": f"There is a blackout until {report['blackoutUntil']}: it would be kept, not applied."
        + (" Without the blackout it would be held, and wait for a person." if held else ""),
        "held": held.strip(),
        "nothing": "Nothing would change.",
        "applied": "It would be applied, without asking anybody.",
    }[report["verdict"]]


def _report(connection: Connection, delivery: Path, place: _Place, today: date, on: date) -> dict[str, Any]:
    """The report: names as in JSON answers."""
    _take_accepted(connection, place)
    place.staged.mkdir()
    until = additions_end(connection, on)
    steps = steps_for(connection)
    with judged(connection, delivery, place.staged, place.accepted, steps, place.tell) as judgement:
        summary = None
        if not judgement.fatal:
            with database.cursor() as cursor:
                free = first_free_ids(cursor, connection.district_id)
            adds = until is not None
            summary = make_plan(judgement, place.accepted, place.out, free, only_adds=adds, tell=place.tell)
        findings = judgement.findings
    hazards: list[Hazard] = []
    if summary:
        morning = instant_of(on, time(12), zone_of(connection.district))
        plan = place.out / "plan.parquet"
        hazards = weigh(connection, summary, place.accepted, plan, place.work, max(morning, timezone.now()))
    report = _told(findings, summary, hazards) | {
        "today": today.isoformat(),
        "on": on.isoformat(),
        "blackoutUntil": _text(blackout_end(connection, on)),
        "additionsUntil": _text(until),
    }
    if summary:
        report["outlook"] = look_ahead(
            (place.accepted, today), (place.out / "accepted", on), place.work
        ).as_dict()
    return report | {"verdict": _verdict(report, summary)}


def _take_accepted(connection: Connection, place: _Place) -> None:
    """The accepted snapshot by names of our own: an import that ends meanwhile takes the others away."""
    district = District.objects.get(pk=connection.district_id)
    try:
        shutil.copytree(
            accepted_for(connection, district.generation), place.accepted, copy_function=_second_name
        )
    except (shutil.Error, FileNotFoundError) as fault:
        raise RosterMoved from fault


def _second_name(source: str, target: str) -> str:
    try:
        os.link(source, target)
        return target
    except OSError:  # another file system, or one without second names
        return str(shutil.copy2(source, target))


def _told(findings: Findings, summary: PlanSummary | None, hazards: list[Hazard]) -> dict[str, Any]:
    codes = [
        {"code": code.code, "title": code.title, "severity": severity, "count": total}
        for code, severity, total, _ in findings.by_code()
    ]
    return {
        "findings": findings.counts(),
        "codes": codes[:CODES],
        "modes": summary.modes if summary else {},
        "counts": summary.counts if summary else {},
        "leftOut": summary.left_out if summary else {},
        "heldBack": summary.held if summary else {},
        "hazards": [hazard.as_dict() for hazard in hazards],
        "outlook": None,
    }


def _verdict(report: dict[str, Any], summary: PlanSummary | None) -> str:
    if summary is None:
        return "refused"
    if report["blackoutUntil"]:
        return "kept"
    if not summary.changes:
        return "nothing"
    return "held" if report["hazards"] else "applied"


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""


def _forget_the_oldest(district: District) -> None:
    kept = list(rehearsals_of(district).values_list("pk", flat=True)[:LISTED])
    Rehearsal.objects.filter(district=district).exclude(pk__in=kept).delete()
