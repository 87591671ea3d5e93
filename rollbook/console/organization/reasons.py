"""Why a part of a sync waits, in the reader's language: the same as the engine says of a hazard. A sentence never names a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.engine.sync.guarding import ALONG
from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, SITES
from rollbook.engine.sync.stakes import GROUP_LEVEL, SITE, TEACHERS, UNOWNED_MEMBERS
from rollbook.store.models import Group, SyncHold
from rollbook.store.models import Site as SiteRow

CALLED: dict[str, Any] = {
    SITES: gettext_lazy("sites"),
    MEMBERS: gettext_lazy("members"),
    GROUPS: gettext_lazy("classes and groups"),
    MEMBERSHIPS: gettext_lazy("enrollments"),
    TEACHERS: gettext_lazy("enrollments of teachers"),
    UNOWNED_MEMBERS: gettext_lazy("members whom the source never had"),
}
FIELDS: dict[str, Any] = {
    "username": gettext_lazy("username"),
    "email": gettext_lazy("e-mail address"),
    "identifier": gettext_lazy("identifier"),
}
SENTENCES: dict[str, Any] = {
    "percent": gettext_lazy(
        "%(count)s of %(population)s %(kind)s would be removed. The limit is %(limit)s %%."
    ),
    "number": gettext_lazy("%(count)s %(kind)s would be removed. The limit is %(limit)s."),
    "site-percent": gettext_lazy(
        "%(count)s of %(population)s %(kind)s of %(where)s would be removed. The limit is %(limit)s %%."
    ),
    "group-percent": gettext_lazy(
        "%(count)s of %(population)s %(kind)s of %(where)s would be removed. The limit is %(limit)s %%."
    ),
    "weekly": gettext_lazy(
        "With this sync, %(count)s of %(population)s %(kind)s would have been removed within seven days. The limit is %(limit)s %%."
    ),
    "to-zero": gettext_lazy("No %(kind)s would be left: %(population)s would be removed."),
    "identifying": gettext_lazy(
        "The %(field)s of %(count)s of %(population)s members would change. The limit is %(limit)s %%."
    ),
    "rekey": gettext_lazy(
        "%(count)s of %(population)s %(kind)s seem to come back under another id. The limit is %(limit)s %%. Going on keeps who they are."
    ),
    "create-percent": gettext_lazy(
        "%(count)s %(kind)s would be added to %(population)s. The limit is %(limit)s %%."
    ),
    "last-administrator": gettext_lazy("The last of %(population)s administrators would be gone."),
    "leaderless": gettext_lazy("%(where)s would lose its last teacher and keep other members."),
}
ALONGSIDE = gettext_lazy("They go because their members or classes are archived.")

REMOVING = frozenset({"percent", "number", "site-percent", "group-percent", "to-zero", "last-administrator"})
"""Reasons that say how many there are and how many there would be; of the others that is no before and after."""


Places = Mapping[tuple[str, str], str]
"""{(level, scope): name} of the sites and classes at which something is held."""


def places_of(holds: Iterable[SyncHold]) -> Places:
    """The names of all the places of these holds, of one organization."""
    found: dict[tuple[str, str], str] = {}
    some = [hold for hold in holds if hold.scope.isascii() and hold.scope.isdecimal()]
    tables = ((SITE, SiteRow.objects, "name"), (GROUP_LEVEL, Group.objects, "title"))
    for level, rows, name in tables:
        ids = {int(hold.scope) for hold in some if hold.level == level}
        if ids:
            here = rows.filter(organization=some[0].organization_id, id__in=ids)
            found |= {(level, str(number)): words for number, words in here.values_list("id", name)}
    return found


def hold_words(hold: SyncHold, places: Places | None = None) -> str:
    """What tripped, and which limit that is."""
    where = _where(hold, places_of([hold]) if places is None else places)
    told = {
        "count": _number(hold.count),
        "population": _number(hold.population),
        "limit": _number(hold.limit),
        "kind": CALLED.get(hold.kind, hold.kind),
        "field": FIELDS.get(hold.field, hold.field),
        "where": where,
    }
    sentence = SENTENCES.get(hold.code)
    words = str(sentence) % told if sentence else hold.code
    if where and "%(where)s" not in str(sentence):
        words = f"{where}: {words}"
    return f"{words} {ALONGSIDE}" if hold.field.startswith(ALONG) else words


def _where(hold: SyncHold, places: Places) -> str:
    """The site or class at which it is, by name; empty for the whole organization."""
    unnamed = {SITE: _("a site"), GROUP_LEVEL: _("a class")}
    return places.get((hold.level, hold.scope), unnamed.get(hold.level, ""))


def before_and_after(hold: SyncHold) -> tuple[int, int] | None:
    """How many there are, and how many there would be."""
    return (hold.population, max(hold.population - hold.count, 0)) if hold.code in REMOVING else None


def _number(number: int) -> str:
    return number_format(number, force_grouping=True)
