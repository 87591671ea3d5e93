"""What happened to a member in words: what people did here, seats, records of rosters, and what single syncs did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.audit import ACTS
from rollbook.console.organization.people import FIELDS
from rollbook.engine.sync.remarks import CODES
from rollbook.flows.member_history import LINKED, SEATED, UNLINKED, UNSEATED, Done, Event

HAPPENED: dict[str, Any] = {
    LINKED: gettext_lazy("Found in a roster"),
    UNLINKED: gettext_lazy("No longer that record of the roster"),
    SEATED: gettext_lazy("Took a seat"),
    UNSEATED: gettext_lazy("The seat became free"),
}

RUNGS: dict[str, Any] = {
    "created": gettext_lazy("created from it"),
    "key": gettext_lazy("same id in the roster"),
    "former": gettext_lazy("an id they had earlier"),
    "identifier": gettext_lazy("same identifier"),
    "email": gettext_lazy("same e-mail address"),
    "username": gettext_lazy("same username"),
}
"""How a record was found to be this member."""

DID: dict[str, Any] = {
    "created": gettext_lazy("Created"),
    "linked": gettext_lazy("Found to be the same person"),
    "updated": gettext_lazy("Changed"),
    "archived": gettext_lazy("Archived"),
    "restored": gettext_lazy("Brought back"),
    "purged": gettext_lazy("Erased"),
    "re-linked": gettext_lazy("Has another id in the roster"),
    "missing": gettext_lazy("Missing in the roster"),
    "found again": gettext_lazy("There again in the roster"),
    "unchanged here": gettext_lazy("Changed in the roster, not here"),
    "unlinked": gettext_lazy("No longer that record of the roster"),
    "override ended": gettext_lazy("Follows the roster again"),
}

OUTCOMES: dict[str, Any] = {
    "done": gettext_lazy("Done"),
    "noop": gettext_lazy("Was so already"),
    "retry": gettext_lazy("Not yet"),
    "reject": gettext_lazy("Not taken"),
    "conflict": gettext_lazy("Had changed meanwhile"),
    "not done": gettext_lazy("Not done"),
}

CODE = {code.code: code for code in CODES}


@dataclass(frozen=True)
class ShownEvent:
    """One thing that happened: what, the particulars in words, who did it, and the sync it was, 0 for none."""

    at: datetime
    words: Any
    about: str
    by: str
    run: int


@dataclass(frozen=True)
class ShownDone:
    """What one sync did: with which fields, what came of it, and why."""

    done: Done
    words: Any
    outcome: Any
    fields: str
    why: str


def shown_events(found: Iterable[Event]) -> list[ShownEvent]:
    return [
        ShownEvent(one.at, HAPPENED.get(one.act) or ACTS.get(one.act, one.act), _about(one), one.by, one.run)
        for one in found
    ]


def _about(event: Event) -> str:
    told = event.told
    if event.act in (LINKED, UNLINKED):
        how = RUNGS.get(told["how"]) or _title(told["how"])
        return _("%(name)s, record %(id)s: %(how)s") % {
            "name": told["name"], "id": told["sourcedId"], "how": how,
        }  # fmt: skip
    field, why = told.get("field", ""), told.get("why", "")
    parts = [str(FIELDS.get(field, field)), f"“{why}”" if why else ""]
    return " · ".join(part for part in parts if part)


def shown_done(found: Iterable[Done]) -> list[ShownDone]:
    return [
        ShownDone(
            one,
            DID.get(one.what, one.what),
            OUTCOMES.get(one.outcome, one.outcome),
            ", ".join(str(FIELDS.get(name, name)) for name in one.fields),
            _title(one.reason),
        )
        for one in found
    ]


def _title(code: str) -> str:
    return CODE[code].title if code in CODE else code
