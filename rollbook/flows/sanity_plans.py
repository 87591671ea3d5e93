"""When an app's sanity is checked by itself, from which share on a line keeps its export back, and how many people it is licensed for."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, time

from django.db import IntegrityError, router, transaction
from django.utils import timezone

from rollbook.engine.calendar import Daily, Due, last_due, next_due
from rollbook.engine.sanity.lines import BY_CODE, LICENSED, NEED_CODE
from rollbook.flows import audit, sanity
from rollbook.flows.spans import zone_of
from rollbook.flows.timetable import WEEKDAYS
from rollbook.refusal import Refusal
from rollbook.store.models import Grant, SanityCheck, SanityPlan

TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
MOST_TIMES = 8
MOST_LICENCES = 10**9
BY = "schedule"
BY_EXPORT = "export"


class BadTimes(Refusal):
    """Write one to eight times of the day, such as 02:30, and at least one weekday: mon, tue, wed, thu, fri, sat, sun."""


class NoSuchLine(Refusal):
    """There is no such line: docs/reference/sanity.md lists them, such as classes-without-teachers."""


class BadPercent(Refusal):
    """A limit is a percentage from 0 to 100, such as 5."""


class BadLicences(Refusal):
    """Licences are a whole number from 0 on, counted in people, students or teachers; leave it out for none."""


def plan_of(grant: Grant) -> SanityPlan | None:
    return SanityPlan.objects.filter(grant=grant).first()


def set_times(grant: Grant, times: Iterable[str], weekdays: Iterable[str], by: str) -> SanityPlan:
    """Check at these times of the district's clock, from now on; without times it is checked by people only. Raises BadTimes."""
    written = [text.strip() for text in times if text.strip()]
    days = [text.strip().lower() for text in weekdays if text.strip()]
    if len(written) > MOST_TIMES or not all(map(TIME.fullmatch, written)):
        raise BadTimes(", ".join(written))
    if not set(days) <= set(WEEKDAYS) or (written and not days):
        raise BadTimes(", ".join(days))
    kept = {
        "times": sorted({text.zfill(5) for text in written}),
        "weekdays": sorted({WEEKDAYS.index(text) for text in days}) if written else [],
    }
    return _set(grant, by, "sanity.schedule", kept)


def set_limit(grant: Grant, code: str, percent: float | None, by: str) -> SanityPlan:
    """Keep exports back while more than `percent` of what the line looks at is concerned; None lifts that. Raises NoSuchLine, BadPercent."""
    if code not in BY_CODE and not code.startswith(f"{NEED_CODE}:"):
        raise NoSuchLine(code)
    if percent is not None and not 0 <= percent <= 100:
        raise BadPercent(str(percent))
    plan = plan_of(grant)
    limits = {**(plan.limits if plan else {}), code: percent}
    return _set(
        grant, by, "sanity.limit", {"limits": {name: one for name, one in limits.items() if one is not None}}
    )


def set_licences(grant: Grant, licences: int | None, licensed: str, by: str) -> SanityPlan:
    """For how many people, students or teachers the app is licensed; None where that is not looked at. Raises BadLicences."""
    if licensed not in LICENSED or (licences is not None and not 0 <= licences <= MOST_LICENCES):
        raise BadLicences(f"{licences} {licensed}")
    return _set(grant, by, "sanity.licences", {"licences": licences, "licensed": licensed})


def _set(grant: Grant, by: str, act: str, kept: Mapping[str, object]) -> SanityPlan:
    with transaction.atomic():
        found = plan_of(grant)
        earlier = {name: getattr(found, name) for name in kept} if found else {}
        # A limit says nothing of times: what is due stays due.
        at = found.set_at if found and "times" not in kept else timezone.now()
        plan, _ = SanityPlan.objects.update_or_create(
            grant=grant, defaults={**kept, "set_by": by[:200], "set_at": at}
        )
        audit.record(
            grant.district_id, act, "app", grant.pk, grant.title, before=earlier, after=dict(kept), by=by
        )
    return plan


# --- By the clock -----------------------------------------------------------------------------------------------------------------------------


def daily_of(plan: SanityPlan) -> Daily:
    return Daily(tuple(map(time.fromisoformat, plan.times)), frozenset(plan.weekdays))


def next_check(plan: SanityPlan, now: datetime) -> Due | None:
    """When it is checked next; None where it never is by itself."""
    return next_due(daily_of(plan), zone_of(plan.grant.district), now)


def ask_due(district_id: int, now: datetime) -> int:
    """Ask for the checks that are due; how many those were. Each is asked for once, however many servers look."""
    plans = SanityPlan.objects.filter(grant__district=district_id, grant__removed_at=None).exclude(times=[])
    return sum(_asked(plan, now) for plan in plans.select_related("grant__district"))


def _asked(plan: SanityPlan, now: datetime) -> bool:
    due = last_due(daily_of(plan), zone_of(plan.grant.district), now)
    if due is None or due.at <= plan.set_at:
        return False
    if SanityCheck.objects.filter(grant_id=plan.grant_id, due=due.name).exists():
        return False
    try:
        with transaction.atomic(using=router.db_for_write(SanityCheck)):
            sanity.ask(plan.grant, BY, due.name)
    except IntegrityError:  # another server was first
        return False
    return True


# --- Keeping an export back -------------------------------------------------------------------------------------------------------------------


def why_blocked(grant: Grant) -> str:
    """Why a package for this app must not leave now, in words; empty where nothing is over its limit.

    It goes by a check of what is served now, and makes one where there is none yet.
    """
    plan = plan_of(grant)
    if plan is None or not plan.limits:
        return ""
    report = sanity.report_of(_of_now(grant))
    over = [
        f"{line.title}: {line.count:,} of {line.among:,}, {_percent(line.percent)} %, and the limit is {_percent(plan.limits[line.code])} %."
        for line in report.lines
        if line.code in plan.limits and line.percent > plan.limits[line.code]
    ]
    return " ".join(over)


def _of_now(grant: Grant) -> SanityCheck:
    last = sanity.latest(grant)
    grant = Grant.objects.select_related("district").get(pk=grant.pk)
    now = (grant.district.publication, grant.version)
    if last is not None and (last.publication, last.grant_version) == now:
        return last
    return sanity.check_now(grant, BY_EXPORT)


def _percent(share: float) -> str:
    return f"{share:.1f}".removesuffix(".0")
