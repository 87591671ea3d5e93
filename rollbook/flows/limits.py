"""Limits: what a district has set, collection by collection, and how a plan is weighed against it."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.engine.plan import PlanSummary
from rollbook.engine.safeguards import DEFAULTS, Counts, Hazard, Limits, hazards
from rollbook.engine.stakes import count_stakes
from rollbook.flows import audit
from rollbook.flows.completeness import INCOMPLETE
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District, Limit, Run

WEEK = timedelta(days=7)
APPLIED = ("success", INCOMPLETE)
"""What a run's outcome is whose plan was applied."""

NAMES = tuple(field.name for field in fields(Limits))
RULES = ("to_zero", "last_administrator")


class NoSuchCollection(Refusal):
    """Limits are set for a collection by its name: orgs, academicSessions, courses, classes, users (people), userProfiles, roles, enrollments,
    demographics, resources, courseResources, classResources or userResources.
    """


class NotALimit(Refusal):
    """A limit is a whole number: a percentage from 1 to 100 (to 1000 for additions), a number of records from 1 on, a floor from 0 on."""


def limits_of(district: District) -> dict[str, Limits]:
    """The limits of every collection, the defaults where the district has set none."""
    own = {limit.collection: limit for limit in Limit.objects.filter(district=district)}
    return {
        collection: Limits(**{name: getattr(own[collection], name) for name in NAMES})
        if collection in own
        else DEFAULTS
        for collection in LOAD_ORDER
    }


def set_limits(district: District, collection: str, values: Mapping[str, Any]) -> Limits:
    """Change some limits of a collection, by the names of `safeguards.Limits`; None is no limit. Raises NoSuchCollection, NotALimit."""
    if collection not in LOAD_ORDER:
        raise NoSuchCollection(collection)
    for limit, value in values.items():
        _judge(limit, value)
    with transaction.atomic():
        former = limits_of(district)[collection]
        limits = replace(former, **values)
        Limit.objects.update_or_create(district=district, collection=collection, defaults=asdict(limits))
        before = {name: getattr(former, name) for name in values}
        audit.record(district.pk, "limits.change", "limits", collection, before=before, after=values)
    return limits


def reset_limits(district: District, collection: str) -> None:
    """Back to the defaults."""
    with transaction.atomic():
        Limit.objects.filter(district=district, collection=collection).delete()
        audit.record(district.pk, "limits.reset", "limits", collection)


def raise_limits(district: District, found: list[Hazard]) -> None:
    """Set the limits that these hazards reached just above what they found; the rules that have no number stay."""
    for hazard in found:
        name = RAISED.get(hazard.code)
        if name is None:
            continue
        current = getattr(limits_of(district)[hazard.collection], name)
        if name.endswith("_number"):
            above = hazard.count + 1
        else:
            above = 100 * hazard.count // hazard.population + 1
        if current is not None and above > current:
            # More than everything cannot be removed or changed: above 100 % there is no limit.
            set_limits(
                district, hazard.collection, {name: None if _share_of_all(name) and above > 100 else above}
            )


RAISED = {
    "create-percent": "create_percent",
    "create-number": "create_number",
    "update-percent": "update_percent",
    "update-number": "update_number",
    "delete-percent": "delete_percent",
    "delete-number": "delete_number",
    "weekly-percent": "weekly_percent",
    "identifying": "identifying_percent",
}
"""Which limit is raised after which hazard; re-keying, the last administrator and a collection gone to zero are asked about every time."""


def weigh(
    connection: Connection,
    summary: PlanSummary,
    accepted: Path,
    plan: Path,
    work: Path,
    at: datetime | None = None,
    *,
    returning: bool = False,
) -> list[Hazard]:
    """Every reason not to apply this plan of `connection` unasked, now or at another moment. `returning`: it goes back."""
    stakes = count_stakes(summary, accepted, plan, work, returning)
    return hazards(stakes, _week(connection, at or timezone.now()), limits_of(connection.district))


def _week(connection: Connection, at: datetime) -> list[Counts]:
    """The counts of the plans applied within the seven days before, the oldest first."""
    since = at - WEEK
    applied = Run.objects.filter(
        connection=connection, outcome__in=APPLIED, ended_at__gt=since, plan__isnull=False
    ).select_related("plan")
    return [run.plan.counts for run in applied.order_by("ended_at", "id")]


def _share_of_all(name: str) -> bool:
    return name.endswith("_percent") and name != "create_percent"


def _judge(name: str, value: Any) -> None:
    if name in RULES:
        if not isinstance(value, bool):
            raise NotALimit(name)
        return
    if name not in NAMES or (value is None and name == "floor"):
        raise NotALimit(name)
    if value is None:
        return
    most = 100 if _share_of_all(name) else 1000 if name == "create_percent" else 1_000_000_000
    if isinstance(value, bool) or not isinstance(value, int) or not (name != "floor") <= value <= most:
        raise NotALimit(f"{name} {value}")
