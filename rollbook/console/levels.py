"""How much an app sees of the organizations and of the courses, as the three levels of its card."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import Badge
from rollbook.store.models import Grant
from rollbook.store.visibility import Rule

NONE = Badge(_("NO ACCESS"), "secondary", "stop")
LIMITED = Badge(_("LIMITED ACCESS"), "azure", "lock")
FULL = Badge(_("FULL ACCESS"), "green", "check")


@dataclass(frozen=True)
class Levels:
    """Both levels."""

    orgs: Badge
    courses: Badge


def levels_of(grant: Grant) -> Levels:
    """The levels that the rule of this grant gives."""
    rule = Rule.parse(grant.rule)
    if rule.orgs is None:
        return Levels(FULL, FULL)
    return Levels(LIMITED if rule.orgs else NONE, FULL)
