"""Reports of rehearsals as they are shown: the verdict, reasons, what turns, in words."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import COLUMNS, FOLDED_INTO, Badge
from rollbook.console.words import COLLECTIONS, SEVERITIES, severity_words
from rollbook.flows.rehearsals import verdict_words
from rollbook.store.models import Rehearsal

VERDICTS = {
    "refused": (_("Not readable"), "red", "cross"),
    "kept": (_("Would be kept"), "azure", "calendar"),
    "held": (_("Would be held"), "yellow", "warning"),
    "nothing": (_("Nothing would change"), "green", "check"),
    "applied": (_("Would be applied"), "green", "check"),
}

TURNS = {
    "academicSessions": _("Academic sessions"),
    "classes": _("Classes"),
    "roles": _("Roles"),
    "enrollments": _("Enrollments"),
}

SEATS = {"student": _("Students without any class"), "teacher": _("Teachers without any class")}


@dataclass(frozen=True)
class Turned:
    """One line of what turns."""

    words: Any
    before: int
    after: int
    begin: int
    end: int


@dataclass(frozen=True)
class Report:
    """A rehearsal in words. `changes` is [(collection, added, changed, removed, left out)]."""

    verdict: Badge
    words: str
    reasons: list[str]
    findings: list[tuple[Badge, str, str]]
    changes: list[tuple[Any, int, int, int, int]]
    turns: list[Turned]
    seats: list[tuple[Any, int, int, int]]
    additions_until: date | None


def shown_report(rehearsal: Rehearsal) -> Report:
    """The report in words."""
    report = rehearsal.report
    words, colour, icon = VERDICTS[report["verdict"]]
    outlook = report["outlook"] or {"turns": {}, "without_class": {}}
    until = report["additionsUntil"]
    return Report(
        verdict=Badge(words, colour, icon),
        words=verdict_words(report),
        reasons=[hazard["words"] for hazard in report["hazards"]],
        findings=[_found(one) for one in report["codes"]],
        changes=_changes(report["counts"], report["leftOut"]),
        turns=[Turned(TURNS[name], **turn) for name, turn in outlook["turns"].items()],
        seats=[
            (SEATS[role], one["before"], one["after"], one["lost"])
            for role, one in outlook["without_class"].items()
        ],
        additions_until=date.fromisoformat(until) if until else None,
    )


def _found(one: dict[str, Any]) -> tuple[Badge, str, str]:
    colour, icon = SEVERITIES[one["severity"]]
    return (
        Badge(severity_words(one["severity"], one["count"]), colour, icon, one["count"]),
        one["title"],
        one["code"],
    )


def _changes(
    counts: dict[str, dict[str, int]], left_out: dict[str, int]
) -> list[tuple[Any, int, int, int, int]]:
    lines = []
    for collection, words in COLLECTIONS.items():
        numbers = dict.fromkeys(COLUMNS, 0)
        for action, number in counts.get(collection, {}).items():
            numbers[FOLDED_INTO.get(action, action)] += number
        added, changed, removed = (numbers[column] for column in COLUMNS)
        out = left_out.get(collection, 0)
        if added or changed or removed or out:
            lines.append((words, added, changed, removed, out))
    return lines
