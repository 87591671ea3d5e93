"""Plain words for what a sync says: outcomes, phases, kinds of runs and of records, states of connections and of members."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rollbook.console.imports import Badge
from rollbook.store.models import SyncRun

OUTCOMES: dict[str, tuple[Any, str, str]] = {
    "": (_("Under way"), "azure", "clock"),
    "success": (_("Succeeded"), "green", "check"),
    "empty": (_("Nothing to do"), "green", "check"),
    "partly": (_("Done, but for a part"), "yellow", "warning"),
    "held": (_("Held, waits for you"), "yellow", "warning"),
    "previewed": (_("Shown, nothing changed"), "azure", "info"),
    "incomplete": (_("Source not read whole"), "yellow", "warning"),
    "drifted": (_("Not as it was written"), "yellow", "warning"),
    "failed": (_("Failed"), "red", "cross"),
    "refused": (_("Refused"), "orange", "stop"),
    "cancelled": (_("Cancelled"), "secondary", "stop"),
}
"""What a sync came to, the colour it is told in, and the sign that says the same without colour."""

RUN_KINDS: dict[str, Any] = {
    "full": _("Sync"),
    "delta": _("Sync of what changed"),
    "focus": _("Resync of a few"),
    "switch": _("Switch of classes and groups"),
    "undo": _("Undo"),
    "look": _("Look at the source"),
    "import": _("User import"),
}

PHASES: dict[str, Any] = {
    "waiting": _("Waiting"),
    "fetching": _("Fetching from the source"),
    "reading": _("Checking what was fetched"),
    "planning": _("Comparing with the directory"),
    "planned": _("Plan made"),
    "applying": _("Changing the directory"),
    "verifying": _("Reading back a sample"),
    "done": _("Done"),
}

KINDS: dict[str, Any] = {
    "sites": _("Sites"),
    "members": _("Members"),
    "groups": _("Classes and groups"),
    "memberships": _("Enrollments"),
}

ACTIONS: dict[str, Any] = {
    "create": pgettext_lazy("records of a sync", "Created"),
    "update": pgettext_lazy("records of a sync", "Updated"),
    "link": pgettext_lazy("records of a sync", "Recognised"),
    "relink": pgettext_lazy("records of a sync", "Recognised under another id"),
    "restore": pgettext_lazy("records of a sync", "Brought back"),
    "archive": pgettext_lazy("records of a sync", "Archived"),
    "reject": pgettext_lazy("records of a sync", "Not taken"),
    "conflict": pgettext_lazy("records of a sync", "Changed meanwhile"),
    "retry": pgettext_lazy("records of a sync", "To be tried again"),
}
"""What was done to records, and why it was not; what a sync only notes for itself is not told."""

CONNECTION_STATES: dict[str, tuple[Any, str, str]] = {
    "requested": (_("Requested"), "secondary", "clock"),
    "waiting": (_("Waiting for activation"), "azure", "clock"),
    "active": (pgettext_lazy("sync connection", "Active"), "green", "check"),
    "paused": (pgettext_lazy("sync connection", "Paused"), "yellow", "stop"),
    "disconnected": (pgettext_lazy("sync connection", "Disconnected"), "secondary", "cross"),
}

STATES: dict[str, tuple[Any, str, str]] = {
    "pending": (pgettext_lazy("record", "Pending"), "azure", "clock"),
    "inactive": (pgettext_lazy("record", "Inactive"), "secondary", "clock"),
    "active": (pgettext_lazy("record", "Active"), "green", "check"),
    "suspended": (pgettext_lazy("record", "Suspended"), "orange", "stop"),
    "archived": (pgettext_lazy("record", "Archived"), "secondary", "empty"),
}
"""States of members, and of sites, classes and groups, which are active or archived."""


def badge(words: dict[str, tuple[Any, str, str]], name: str, number: int = 0) -> Badge:
    """The mark of a name in one of these tables; a name that is not there speaks for itself."""
    said, colour, icon = words.get(name, (name, "secondary", "info"))
    return Badge(said, colour, icon, number)


def outcome_badge(run: SyncRun) -> Badge:
    """What a run came to, as a mark."""
    return badge(OUTCOMES, run.outcome)


def run_kind(run: SyncRun) -> Any:
    """What was to be done."""
    if run.task.get("policy"):
        return _("Change of settings")
    kind = str(run.task.get("kind", ""))
    return RUN_KINDS.get(kind, kind)
