"""One file of an app's own as a form: its columns with tick, title and order, columns joined from other files, conditions. Every button
sends the whole form and shows it again; nothing is kept before *Save*. What the app does not see is not offered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from rollbook.engine.holdings import UNFILLED, Holdings
from rollbook.engine.tailoring import (
    CONDITIONS,
    BadTemplate,
    Keep,
    Tailored,
    respelled,
    source_of,
)
from rollbook.oneroster.csv_binding import METADATA

MOST_ROWS, MOST_CONDITIONS = 300, 20
LONGEST = 200


@dataclass(frozen=True)
class Column:
    """A column that is there to be chosen: where it comes from, what it is called in the file, whether it is in it."""

    path: str
    title: str
    on: bool


@dataclass(frozen=True)
class Condition:
    path: str
    relation: str
    value: str


@dataclass(frozen=True)
class Draft:
    """A file under way, as the form has it. Columns that are not ticked have a place in the order too, until it is saved."""

    file: str
    table: str
    columns: tuple[Column, ...] = ()
    conditions: tuple[Condition, ...] = ()


# --- From a file, to a file -------------------------------------------------------------------------------------------------------


def begun(table: str, held: Holdings) -> Draft:
    """A file that nobody has chosen anything for yet."""
    return Draft(f"{table}.csv", table, tuple(Column(path, path, False) for path in own_columns(table, held)))


def draft_of(tailored: Tailored, held: Holdings) -> Draft:
    """What is chosen, and behind it what else could be."""
    chosen = tuple(Column(source.path, title, True) for title, source in tailored.columns)
    named = {column.path for column in chosen}
    others = (Column(path, path, False) for path in own_columns(tailored.table, held) if path not in named)
    conditions = tuple(Condition(keep.source.path, keep.relation, keep.value) for keep in tailored.keeps)
    return Draft(tailored.file, tailored.table, (*chosen, *others), conditions)


def own_columns(table: str, held: Holdings) -> list[str]:
    """The columns of a file that packages fill, in the standard's order."""
    return [one for one in held.columns.get(table, ()) if one not in UNFILLED]


def typed(form: Mapping[str, str], table: str) -> Draft:
    """What was sent. A column without a title is called by where it comes from."""
    columns = tuple(
        Column(path, _line(form, f"c-{number}-title") or path, f"c-{number}-on" in form)
        for number in range(MOST_ROWS)
        if (path := _line(form, f"c-{number}-path"))
    )
    conditions = tuple(
        Condition(
            _line(form, f"k-{number}-path"),
            _line(form, f"k-{number}-relation"),
            _line(form, f"k-{number}-value"),
        )
        for number in range(MOST_CONDITIONS)
        if f"k-{number}-path" in form
    )
    return Draft(_line(form, "file"), table, columns, conditions)


def _line(form: Mapping[str, str], name: str) -> str:
    return " ".join(form.get(name, "").replace("\0", "").split())[:LONGEST]


def tailored_of(draft: Draft, version: str, held: Holdings) -> Tailored:
    """The file that is meant; conditions without a field are left out. Raises BadTemplate, whose line counts as `respelled` says."""
    keeps = tuple(
        Keep(source_of(one.path), one.relation if one.relation in CONDITIONS else "is", one.value)
        for one in draft.conditions
        if one.path
    )
    columns = tuple((one.title, source_of(one.path)) for one in draft.columns if one.on)
    if not columns:
        raise BadTemplate(1, _("tick at least one column."))
    return respelled(Tailored(draft.file, draft.table, columns, keeps), version, held)


def why_bad(draft: Draft, refusal: BadTemplate) -> str:
    """What is wrong, with the condition or the column it is wrong with."""
    named = [one.path for one in draft.conditions if one.path] + [
        one.title for one in draft.columns if one.on
    ]
    place = refusal.line - 2
    about = f"{named[place]}: " if 0 <= place < len(named) else ""
    return f"{about}{refusal.reason}"


# --- What the buttons do ----------------------------------------------------------------------------------------------------------


def done(draft: Draft, act: str, form: Mapping[str, str]) -> tuple[Draft, str]:
    """The form after this button, and what is said aloud of it. A button that there is not changes nothing."""
    verb, _colon, number = act.partition(":")
    place = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else -1
    if verb in ("up", "down"):
        return _moved(draft, place, -1 if verb == "up" else 1)
    if verb == "join":
        return _joined(draft, _line(form, "join"))
    if verb == "extension":
        name = _line(form, "extension").replace(" ", "").removeprefix(METADATA)
        return _joined(draft, f"{METADATA}{name}" if name else "")
    if verb == "more" and len(draft.conditions) < MOST_CONDITIONS:
        return replace(draft, conditions=(*draft.conditions, Condition("", "is", ""))), ""
    if verb == "drop" and 0 <= place < len(draft.conditions):
        kept = draft.conditions[:place] + draft.conditions[place + 1 :]
        return replace(draft, conditions=kept), _("The condition is gone.")
    return draft, ""


def _moved(draft: Draft, place: int, by: int) -> tuple[Draft, str]:
    columns, to = list(draft.columns), place + by
    if not (0 <= place < len(columns) and 0 <= to < len(columns)):
        return draft, ""
    columns[place], columns[to] = columns[to], columns[place]
    said = _("“%(title)s” is now number %(place)s of %(all)s.")
    words = said % {"title": columns[to].title, "place": to + 1, "all": len(columns)}
    return replace(draft, columns=tuple(columns)), words


def _joined(draft: Draft, path: str) -> tuple[Draft, str]:
    """The column behind those that are ticked; one that is there already is ticked."""
    if not path or len(draft.columns) >= MOST_ROWS:
        return draft, ""
    there = next((one for one in draft.columns if one.path == path), None)
    column = replace(there, on=True) if there else Column(path, path, True)
    others = [one for one in draft.columns if one is not there]
    behind = max((place for place, one in enumerate(others, 1) if one.on), default=0)
    columns = (*others[:behind], column, *others[behind:])
    return replace(draft, columns=columns), _("“%(title)s” was added.") % {"title": column.title}
