"""How many records a district has, worked out once for each publication and kept in memory: between two publications nothing changes."""

from dataclasses import dataclass

from django.core.cache import caches
from django.db.models import Count

from rollbook.store.models import RECORDS, District, Org, Role
from rollbook.store.models.roster import ACTIVE

KEPT = 24 * 3600


@dataclass(frozen=True)
class Tally:
    """`statuses` is {collection: {status: records}}; `people` counts those who have a role, by role, `schools` active orgs of that type."""

    statuses: dict[str, dict[str, int]]
    people: dict[str, int]
    schools: int

    def records(self, collection: str, status: str | None = ACTIVE) -> int:
        """The records of a collection with this status, or with any."""
        found = self.statuses[collection]
        return sum(found.values()) if status is None else found.get(status, 0)

    @property
    def is_empty(self) -> bool:
        return not any(self.statuses.values())


def tally_of(district: District) -> Tally:
    """The tally of what the district's roster is now."""
    memory = caches["memory"]
    key = f"tally:{district.pk}:{district.publication}"
    tally: Tally | None = memory.get(key)
    if tally is None:
        tally = _count(district)
        memory.set(key, tally, KEPT)
    return tally


def _count(district: District) -> Tally:
    statuses = {
        name: dict(
            model._default_manager.filter(district=district)
            .values_list("status")
            .annotate(Count("id"))
            .order_by()
        )
        for name, model in RECORDS.items()
    }
    roles = Role.objects.filter(district=district, status=ACTIVE).values_list("role").order_by()
    people = dict(roles.annotate(people=Count("user_id", distinct=True)))
    schools = Org.objects.filter(district=district, status=ACTIVE, type="school").count()
    return Tally(statuses, people, schools)
