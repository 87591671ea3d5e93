"""Sites of an organization as people work on them by hand: another name, and back from the archive. Adding one is the directory's."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from rollbook.engine.sync.links import KEPT, SET
from rollbook.engine.sync.operations import RESTORE, SITES, STATE, UPDATE, Operation, Value
from rollbook.flows import audit
from rollbook.flows.by_hand import NothingByHand, carry_out, end_override, overrides, set_override
from rollbook.flows.directory import NameNeeded
from rollbook.store.models import Override, Site


def rename(site: Site, name: str, why: str = "") -> Site:
    """This name, and no sync changes it. Raises NameNeeded, ChangedMeanwhile."""
    name = " ".join(name.replace("\0", "").split())[:200]
    if not name:
        raise NameNeeded
    with transaction.atomic():
        set_override(
            site.organization, SITES, str(site.id), Override(field="name", value=name, mode=SET, why=why)
        )
        return _carried_out(site, UPDATE, {"name": name}, "site.rename", {"name": name, "why": why})


def restore(site: Site, why: str = "") -> Site:
    """The site is back, and no sync archives it. Raises ChangedMeanwhile."""
    with transaction.atomic():
        kept = Override(field=STATE, value=KEPT, mode=SET, why=why)
        set_override(site.organization, SITES, str(site.id), kept)
        return _carried_out(site, RESTORE, {}, "site.restore", {"why": why})


def follow(site: Site, name: str) -> None:
    """What was set by hand of this field (name, or state) holds no more; the next sync says what it is. Raises NothingByHand."""
    with transaction.atomic():
        if not end_override(site.organization, SITES, str(site.id), name):
            raise NothingByHand(name)
        _note(site, "site.follow", {"field": name})


def overrides_of(site: Site) -> QuerySet[Override]:
    """What is set by hand and holds, by field."""
    return overrides(site.organization, SITES, str(site.id)).order_by("field")


def _carried_out(
    site: Site, action: str, after: Mapping[str, Value], act: str, told: Mapping[str, Any]
) -> Site:
    operation = Operation(
        1, action, SITES, site.source_id, str(site.id), after=after, changed=tuple(after), version=str(site.version)
    )  # fmt: skip
    carry_out(site.organization, operation)
    site.refresh_from_db()
    _note(site, act, told)
    return site


def _note(site: Site, act: str, told: Mapping[str, Any]) -> None:
    audit.record(None, act, "site", f"{site.organization_id}/{site.id}", site.name, after=told)
