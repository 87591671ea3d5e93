"""A plan as the console shows it: what held it, the figures before and after, its changes field by field.

Demographics are shown by the names of their fields alone, as everywhere in the console until somebody asks for them.
"""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rollbook.console.dates import DAY_FIELDS, day
from rollbook.console.imports import Badge
from rollbook.console.reports import group_mark
from rollbook.console.sheets import SHEETS
from rollbook.console.words import ACTIONS, COLLECTIONS, DECISIONS, field_words
from rollbook.engine.lines import DeliveredLine
from rollbook.flows.holds import can_relink, hazards_of
from rollbook.flows.kept import line_of
from rollbook.flows.previews import stale_words
from rollbook.store.models import RECORDS, District, Hold, Run
from rollbook.store.models.roster import ACTIVE
from rollbook.store.plan_schools import Counts, count_by_school
from rollbook.store.plans import HIDDEN, PlannedChange, first_changes, grouped, masked
from rollbook.store.shelf import place

FIRST = 12
GROUP_WORDS = {
    "added": _("Added or restored"),
    "changed": _("Changed or re-linked"),
    "removed": _("Archived or removed"),
}
ACTION_WORDS = {**GROUP_WORDS, **ACTIONS}
"""What changes may be asked for by, in words: what the report counts together, then action by action."""
NEVER_SHOWN = frozenset({"password"})


@dataclass(frozen=True)
class ShownChange:
    """One change in words. `differences` are (what, before, after)."""

    change: PlannedChange
    collection: Any
    action: Any
    differences: list[tuple[Any, str, str]]


@dataclass(frozen=True)
class Figures:
    """One collection before and after a plan."""

    words: Any
    before: int
    added: int
    changed: int
    removed: int
    relinked: int

    @property
    def after(self) -> int:
        return self.before + self.added - self.removed


@dataclass(frozen=True)
class ShownHold:
    """A hold in words. `decision` is empty while it waits. `stale` says why it can only be planned anew; `behind` counts deliveries that
    wait for the decision. `back` is the run whose changes this plan takes back, where it goes back.
    """

    hold: Hold
    hazards: list[str]
    figures: list[Figures]
    first: list[ShownChange]
    decision: Any
    can_relink: bool
    stale: str
    behind: int
    back: Run | None

    @property
    def is_open(self) -> bool:
        return not self.hold.decision


def shown_hold(run: Run) -> ShownHold | None:
    """None where the run was never held."""
    hold = Hold.objects.filter(run=run).first()
    if hold is None:
        return None
    is_open = not hold.decision
    return ShownHold(
        hold=hold,
        hazards=[hazard.words for hazard in hazards_of(hold)],
        figures=_figures(run) if is_open else [],
        first=[shown_change(one) for one in first_changes(place(run.plan.shelf_name), FIRST)]
        if is_open
        else [],
        decision=DECISIONS.get(hold.decision, hold.decision),
        can_relink=can_relink(hold),
        stale=stale_words(run) if is_open else "",
        behind=line_of(run.connection).count() if is_open and run.connection else 0,
        back=run.undoes,
    )


def shown_change(change: PlannedChange) -> ShownChange:
    return ShownChange(
        change=change,
        collection=COLLECTIONS.get(change.collection, change.collection),
        action=ACTIONS.get(change.action, change.action),
        differences=_differences(masked(change)),
    )


def _differences(change: PlannedChange) -> list[tuple[Any, str, str]]:
    """Field by field; what is masked in one line."""
    if change.collection != "demographics" or change.action == "relink":
        return [
            (field_words(one.field), *_shown(one.field, one.before, one.after)) for one in change.differences
        ]
    names = ", ".join(str(field_words(one.field)) for one in change.differences)
    before, after = (
        any(one.before for one in change.differences),
        any(one.after for one in change.differences),
    )
    return [(names, HIDDEN if before else "", HIDDEN if after else "")]


def _shown(field: str, before: str, after: str) -> tuple[str, str]:
    return (day(before), day(after)) if field in DAY_FIELDS else (before, after)


@dataclass(frozen=True)
class ShownSchool:
    """What a plan does in one school: `collections` are (name, words, [(group, mark)]) of what changes there. No name: no school."""

    school: str
    name: str
    collections: list[tuple[str, Any, list[tuple[str, Badge]]]]
    total: int


def shown_schools(run: Run) -> list[ShownSchool]:
    """The plan of a run by school, the schools with the most changes first."""
    return [
        ShownSchool(one.school, one.name, _collections_of(one.counts), one.total)
        for one in count_by_school(run.plan)
    ]


def _collections_of(counts: Counts) -> list[tuple[str, Any, list[tuple[str, Badge]]]]:
    return [
        (
            collection,
            words,
            [(group, group_mark(group, number)) for group, number in grouped(counts[collection]).items()],
        )
        for collection, words in COLLECTIONS.items()
        if collection in counts
    ]


@dataclass(frozen=True)
class ShownLine:
    """A delivered line; `fields` are (column, value), with what is personal beyond need hidden."""

    file: str
    line: int
    fields: list[tuple[str, str]]


def shown_line(line: DeliveredLine) -> ShownLine:
    """Demographics by the names of their columns alone, and never a password.

    Where there are more or fewer fields than columns, nobody knows which of them it is: then of such a line only what begins it is shown.
    """
    personal = line.file == "demographics.csv"
    names = [column.strip().casefold() for column, _ in line.fields]
    unsure = not line.fits and (personal or not NEVER_SHOWN.isdisjoint(names))
    fields = []
    for at, (name, (column, value)) in enumerate(zip(names, line.fields, strict=True)):
        is_id = name == "sourcedid"
        hides = name in NEVER_SHOWN or (personal and not is_id) or (unsure and not (is_id and at == 0))
        fields.append((column, HIDDEN if value and hides else value))
    return ShownLine(line.file, line.line, fields)


def record_of(district: District, change: PlannedChange) -> str:
    """The address of the record a change is about, as it is now; empty where it is not there, or has no page."""
    if change.collection not in SHEETS:
        return ""
    own = RECORDS[change.collection]._default_manager.filter(district=district, id=change.record_id)
    if not own.exists():
        return ""
    return reverse("record", args=[district.pk, change.collection, change.record_id])


def _figures(run: Run) -> list[Figures]:
    """Of each collection that changes: the records its connection has now, and what the plan does to them."""
    found = []
    for collection, words in COLLECTIONS.items():
        counts = run.plan.counts.get(collection)
        if not counts:
            continue
        own = RECORDS[collection]._default_manager.filter(
            district=run.district_id, connection_id=run.connection_id, status=ACTIVE
        )
        found.append(
            Figures(
                words,
                own.count(),
                counts.get("create", 0) + counts.get("restore", 0),
                counts.get("update", 0),
                counts.get("delete", 0),
                counts.get("relink", 0),
            )
        )
    return found
