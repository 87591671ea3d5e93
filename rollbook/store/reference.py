"""Reference only: the orgs above what a rule chooses. Its app is told what they are called, of what kind they are and where they stand; nobody
and nothing comes in through them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.backends.utils import CursorWrapper

from rollbook.engine.scope import Level, Rule, Scope
from rollbook.store.chosen import ancestors, chosen, parents_of, taught
from rollbook.store.models import Org


@dataclass(frozen=True)
class Referenced:
    """One such org."""

    sourced_id: str
    name: str
    type: str


def for_reference(district_id: int, rule: Rule) -> frozenset[int]:
    """Record ids of the orgs that `rule` shows for reference only, in the roster as it is now."""
    if rule.level is not Level.BASIC:
        return frozenset()
    with connection.cursor() as cursor:
        shown = set().union(*(_orgs(cursor, district_id, scope) for scope in rule.scopes))
        return frozenset(ancestors(parents_of(cursor, district_id), shown)) if shown else frozenset()


def _orgs(cursor: CursorWrapper, district_id: int, scope: Scope) -> Iterable[int]:
    """The orgs chosen; where classes are, their schools."""
    if scope.classes is None:
        return chosen(cursor, district_id, "orgs", scope.orgs)
    return {school for _, _, school in taught(cursor, district_id, scope.classes)}


def referenced(district_id: int, rule: Rule) -> tuple[Referenced, ...]:
    """The same by name."""
    found = Org.objects.filter(district_id=district_id, id__in=for_reference(district_id, rule))
    rows = found.order_by("name", "sourced_id").values_list("sourced_id", "name", "type")
    return tuple(Referenced(sourced_id, name or sourced_id, kind or "") for sourced_id, name, kind in rows)
