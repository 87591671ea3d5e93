"""What stands beside a rule when its view is worked out: whether the grant is open on the day, who has opted out, and how its masks are made.

A grant of which any of this is particular has a view of its own, see `is_particular`; what the whole district decided holds for every view.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from rollbook.engine.masks import Masker, Record
from rollbook.engine.scope import Rule
from rollbook.oneroster.treatments import SOURCED_ID, domain_of, names_of, replaced_in
from rollbook.store.models import Grant, MaskKey, OptOut, Publication, View

WITHIN = {"roles": "userProfileSourcedId", "userProfiles": "sourcedId"}
"""What a user's record holds of other records, and the ids of profiles in it."""


@dataclass(frozen=True)
class Circumstances:
    """`left_out` are record ids of users; `masker` is None where no field is treated; `replaced` are the collections whose sourcedIds are
    replaced by aliases.
    """

    is_open: bool = True
    left_out: frozenset[int] = frozenset()
    masker: Masker | None = None
    replaced: frozenset[str] = frozenset()

    def treated(
        self, collection: str, record_id: int, record: Record, treatments: Mapping[str, str]
    ) -> Record:
        """The canonical record as the app sees it."""
        if self.masker is None:
            return record
        shown = self.masker.treated(record, f"{collection}/{record_id}", treatments)
        shown = self.masker.renamed(shown, names_of(collection, self.replaced))
        if collection == "users" and collection in self.replaced:
            # A district's ids of profiles are often made of its ids of people.
            for part, field in WITHIN.items():
                within = {field: "userProfiles"}
                shown[part] = [self.masker.renamed(one, within) for one in shown.get(part) or ()]
        return shown

    def shown_id(self, collection: str, sourced_id: str, *, before: bool = False) -> str:
        """What the app knows this record by; with `before`, by what it did while ids were treated the other way."""
        names = names_of(collection, self.replaced)
        if self.masker is None or (SOURCED_ID in names) is before:
            return sourced_id
        return self.masker.alias(sourced_id, domain_of(collection))

    def shows_ids_of(self, collection: str) -> bool:
        """Whether records of the collection bear aliases, as their own ids or in references."""
        return bool(names_of(collection, self.replaced))


def circumstances_of_view(view: View, rule: Rule, today: str) -> Circumstances:
    """Those of the grant whose own the view is; a view that may be shared knows only what the district decided."""
    grant = None if view.shared else view.grants.first()
    return circumstances(view.district_id, grant, rule, today)


def circumstances(district_id: int, grant: Grant | None, rule: Rule, today: str) -> Circumstances:
    """`today` is the district's date, `YYYY-MM-DD`."""
    is_open = grant is None or is_begun_and_not_over(grant.starts_on, grant.ends_on, today)
    masker = masker_of(grant) if grant is not None and (rule.fields or has_masked(grant)) else None
    return Circumstances(is_open, left_out(district_id, grant, today), masker, replaced_in(rule.treatments))


def is_begun_and_not_over(starts_on: str | None, ends_on: str | None, today: str) -> bool:
    """Both days are included; a missing one sets no bound."""
    return (starts_on or "") <= today <= (ends_on or "9999-12-31")


def left_out(district_id: int, grant: Grant | None, today: str) -> frozenset[int]:
    """Who has opted out of this grant, or of every app, and is out on that day."""
    return frozenset(_in_force(district_id, grant, today).values_list("user_id", flat=True))


def left_out_since(publication: Publication, grant: Grant, today: str) -> bool:
    """Whether somebody is left out of this grant today of whom the publication may have told, because it is older than that."""
    said_later = Q(at__gte=datetime.fromtimestamp(publication.instant / 1000, UTC))
    begun_later = Q(starts_on__gt=publication.local_date)
    return _in_force(publication.district_id, grant, today).filter(said_later | begun_later).exists()


def _in_force(district_id: int, grant: Grant | None, today: str) -> QuerySet[OptOut]:
    named = Q(grant=None) if grant is None or grant._state.adding else Q(grant=None) | Q(grant=grant)
    running = Q(ends_on=None) | Q(ends_on__gte=today)
    return OptOut.objects.filter(
        named, running, district_id=district_id, withdrawn_at=None, starts_on__lte=today
    )


def masker_of(grant: Grant) -> Masker:
    """By the grant's own key, which is made when it is first needed; a grant that is not saved yet gets one that is not kept."""
    made = secrets.token_hex(32)
    if grant._state.adding:
        return Masker(made.encode())
    kept, _ = MaskKey.objects.get_or_create(grant=grant, defaults={"key": made})
    return Masker(kept.key.encode())


def has_masked(grant: Grant) -> bool:
    """Whether fields of this grant are treated, or ever were."""
    return not grant._state.adding and MaskKey.objects.filter(grant=grant).exists()


def is_particular(grant: Grant, rule: Rule) -> bool:
    """Whether the grant sees otherwise than another with the same rule: by masks of its own, by its dates, by people who left it alone."""
    if rule.fields or grant.starts_on or grant.ends_on:
        return True
    return not grant._state.adding and OptOut.objects.filter(grant=grant, withdrawn_at=None).exists()


def needs_rows(district_id: int) -> bool:
    """Whether even a grant to everything needs a view, because somebody of the district is left out of every app, or will be."""
    return OptOut.objects.filter(district_id=district_id, grant=None, withdrawn_at=None).exists()
