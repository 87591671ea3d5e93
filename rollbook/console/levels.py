"""How much an app sees of the organizations and of the courses, as the three levels of its card."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import Badge
from rollbook.engine.scope import Access, Rule, access

BADGES = {
    Access.NO: Badge(_("NO ACCESS"), "secondary", "stop"),
    Access.LIMITED: Badge(_("LIMITED ACCESS"), "azure", "lock"),
    Access.FULL: Badge(_("FULL ACCESS"), "green", "check"),
}


@dataclass(frozen=True)
class Levels:
    """Both levels."""

    orgs: Badge
    courses: Badge


def levels_of(rule: Rule) -> Levels:
    """The levels that this rule gives."""
    orgs, courses = access(rule)
    return Levels(BADGES[orgs], BADGES[courses])
