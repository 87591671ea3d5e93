"""Plain words for the records of a sync: what is done to them, what became of them, their fields, and what each code asks of whom."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rollbook.console.organization.setting_fields import in_words
from rollbook.engine.sync.remarks import CATALOGUE, OWNERS

WILL: dict[str, Any] = {
    "create": _("To be created"),
    "link": _("To be recognised"),
    "relink": _("To be recognised under another id"),
    "update": _("To be updated"),
    "restore": _("To be brought back"),
    "archive": _("To be archived"),
    "purge": _("To be removed for good"),
    "miss": _("Missing: its time runs"),
    "find": _("There again"),
    "note": _("Stays as it is"),
    "unlink": _("Followed no longer"),
    "release": _("What was set by hand ends"),
}
"""What a plan does to a record, as long as it is not done; in the order in which they are offered."""

WAS: dict[str, Any] = {
    "created": _("Created"),
    "linked": _("Recognised"),
    "re-linked": _("Recognised under another id"),
    "updated": _("Updated"),
    "restored": _("Brought back"),
    "archived": _("Archived"),
    "purged": _("Removed for good"),
    "missing": _("Missing: its time runs"),
    "found again": _("There again"),
    "unchanged here": _("Stays as it is"),
    "unlinked": _("Followed no longer"),
    "override ended": _("What was set by hand ended"),
    "skipped": _("Skipped"),
}
"""What was done, by the words of a report."""

OUTCOMES: dict[str, tuple[Any, str, str]] = {
    "failed": (_("Not taken, whatever the reason"), "red", "cross"),
    "reject": (_("Not taken"), "red", "cross"),
    "conflict": (_("Changed meanwhile"), "orange", "warning"),
    "retry": (_("To be tried again"), "orange", "clock"),
    "held": (_("Held"), "yellow", "warning"),
    "left-out": (_("Left out"), "secondary", "stop"),
    "planned": (_("Will be done"), "azure", "clock"),
    "done": (_("Done"), "green", "check"),
    "noted": (_("Skipped"), "secondary", "info"),
}
"""What became of a record, failures first."""

FIELDS: dict[str, Any] = {
    "name": _("Name"),
    "identifier": _("Identifier"),
    "given_name": _("Given name"),
    "family_name": _("Family name"),
    "email": _("E-mail"),
    "username": _("Username"),
    "grade": _("Grade"),
    "roles": _("Roles"),
    "sites": _("Sites"),
    "title": _("Title"),
    "form": _("Class or group"),
    "site": _("Site"),
    "code": _("Class code"),
    "subject": _("Subject"),
    "grades": _("Grades"),
    "begins": _("Begins on"),
    "ends": _("Ends on"),
    "central": _("Managed centrally"),
    "group": _("Class or group"),
    "member": _("Member"),
    "role": _("Role"),
    "primary": _("Main teacher"),
    "state": _("Status"),
    "source_id": _("Id at the source"),
}

ONE_OF: dict[str, Any] = {
    "sites": _("Site"),
    "members": _("Member"),
    "groups": _("Class or group"),
    "memberships": _("Enrollment"),
}

BUNDLES: dict[str, Any] = {
    "leavers": _("Those whom the source had, and has no longer"),
    "unowned": _("Those whom the source never had"),
}
"""The removals that a first preview asks about apart."""


@dataclass(frozen=True)
class Said:
    """What a code means, what is to be done, and who can do it."""

    code: str
    title: str
    meaning: str = ""
    remedy: str = ""
    owner: str = ""
    count: int = 0


def said(code: str, count: int = 0) -> Said:
    """A code of a later version, or a target's own, speaks for itself."""
    known = CATALOGUE.get(code)
    if known is None:
        return Said(code, code, count=count)
    if known.owner == "nobody":
        return Said(code, gettext(known.title), in_words(gettext(known.meaning)), count=count)
    remedy, owner = in_words(gettext(known.remedy)), gettext(OWNERS[known.owner])
    return Said(code, gettext(known.title), in_words(gettext(known.meaning)), remedy, owner, count)
