"""Editing what an app may see: looked at before it is saved, saved or kept for a second person, and every version kept with who and why."""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import QuerySet

from rollbook.engine import approval
from rollbook.engine.choosing import check
from rollbook.engine.scope import NONE, Rule
from rollbook.flows import approvals, audit
from rollbook.flows.acting import actor
from rollbook.flows.publish import set_rule, today_of
from rollbook.flows.removal import refuse_removed
from rollbook.oneroster.treatments import is_required, treatments_of
from rollbook.refusal import Refusal
from rollbook.store.circumstances import circumstances
from rollbook.store.foresight import Counts, Example, Place, counts, examples, places, work_out_both
from rollbook.store.models import Grant, GrantVersion, PermissionRequest
from rollbook.store.reference import Referenced, referenced

Days = tuple[str | None, str | None]
"""The first and the last day (`YYYY-MM-DD`) on which the app sees anything; None is no bound."""

NO_DAYS: Days = (None, None)
NOTHING_WANTED = approval.Wanted()


class NoSuchTreatment(Refusal):
    """This cannot be done with this field: what the standard requires can be masked but not left out, and some fields only be shared or
    left out.
    """


class NoSuchVersion(Refusal):
    """The grant never had a version of this number: `rollbook grant history` shows those it had."""


class NotADay(Refusal):
    """A day is written as year, month and day, like 2027-06-30, and the last one does not lie before the first."""


class OtherDistrict(Refusal):
    """Permissions name schools of one district: they cannot be copied into another."""


@dataclass(frozen=True)
class Preview:
    """What an edit would do. `reasons` is why it would wait for a second person, in the words of `engine.approval`. `reference` are the orgs
    that the app would be told of for reference only.
    """

    counts: tuple[Counts, ...]
    places: tuple[Place, ...]
    examples: tuple[Example, ...]
    reasons: tuple[str, ...]
    is_open: bool
    reference: tuple[Referenced, ...] = ()

    @property
    def people_added(self) -> int:
        return self._of("users").added

    @property
    def people_removed(self) -> int:
        return self._of("users").removed

    def _of(self, collection: str) -> Counts:
        return next(one for one in self.counts if one.collection == collection)


def rule_now(grant: Grant) -> Rule:
    """What the grant lets through now; nothing where it is not saved yet."""
    return NONE if grant._state.adding else Rule.parse(grant.rule)


def preview_permissions(grant: Grant, rule: Rule, days: Days = NO_DAYS) -> Preview:
    """What saving `rule` would add and take away in the roster as it is now; nothing is written. Raises NoSuchTreatment, BadCondition,
    NotADay.

    `grant` may be one that is not saved yet. With days that do not hold today, all goes until they do.
    """
    judge(rule, days)
    today = today_of(grant.district)
    dated = Grant(pk=grant.pk, district=grant.district, app=grant.app, view=grant.view)
    dated._state.adding = grant._state.adding
    dated.starts_on, dated.ends_on = days
    around = circumstances(grant.district_id, dated, rule, today)
    with transaction.atomic(), connection.cursor() as cursor:
        work_out_both(cursor, grant, rule, around)
        found = counts(cursor)
        people = next(one.added for one in found if one.collection == "users")
        reasons = approval.reasons(approvals.approval_of(grant.district), rule_now(grant), rule, people)
        return Preview(
            found,
            places(cursor, grant.district_id),
            examples(cursor, grant, rule, around, today),
            reasons,
            around.is_open,
            referenced(grant.district_id, rule) if around.is_open else (),
        )


def edit_permissions(
    grant: Grant, rule: Rule, days: Days = NO_DAYS, *, by: str = "", why: str = ""
) -> PermissionRequest | None:
    """Let the app see what `rule` says from now on; or, where the district wants a second person for this, keep it for one and answer with
    what waits. A grant that is not saved yet sees nothing until then.

    `by` is who acts now, unless said otherwise. Raises NoSuchTreatment, BadCondition, NotADay.
    """
    by = (by or actor().name)[:200]
    refuse_removed(grant)
    judge(rule, days)
    wanted = approvals.approval_of(grant.district)
    with transaction.atomic():
        if wanted == NOTHING_WANTED or not (shown := preview_permissions(grant, rule, days)).reasons:
            _save(grant, rule, days, by, why)
            return None
        if grant._state.adding:
            _save(grant, NONE, NO_DAYS, by, "Waits for a second person.")
        return approvals.ask(grant, rule, days, shown.reasons, shown.people_added, by, why)


def judge(rule: Rule, days: Days = NO_DAYS) -> None:
    """Raises NoSuchTreatment, BadCondition, NotADay where this can be no grant's."""
    for collection, field, treatment in rule.fields:
        if treatment not in treatments_of(collection, field):
            required = " is required by the standard" if treatments_of(collection, field) else ""
            if not (required and is_required(collection, field)):
                required = ""
            raise NoSuchTreatment(f"{collection}.{field}: {treatment}{required}")
    for scope in rule.scopes:
        check("orgs", scope.orgs.queries)
        check("courses", scope.courses.queries)
    for day in days:
        _judge_day(day)
    if days[0] and days[1] and days[1] < days[0]:
        raise NotADay(f"{days[0]}, {days[1]}")


def _judge_day(day: str | None) -> None:
    try:
        if day is not None and date.fromisoformat(day).isoformat() != day:
            raise NotADay(day)
    except ValueError as fault:
        raise NotADay(str(day)) from fault


def _save(grant: Grant, rule: Rule, days: Days, by: str, why: str) -> None:
    before = {} if grant._state.adding else _told(rule_now(grant), (grant.starts_on, grant.ends_on))
    grant.starts_on, grant.ends_on = days
    set_rule(grant, rule, f"what {grant.title} may see", by=by, why=why)
    audit.record(
        grant.district_id, "permissions.save", "grant", grant.pk, grant.title,
        before=before, after=_told(rule, days) | {"version": grant.version, "why": why}, by=by,
    )  # fmt: skip


def _told(rule: Rule, days: Days) -> dict[str, object]:
    return {"rule": rule.as_json(), "starts on": days[0], "ends on": days[1]}


# --- Versions and copies ----------------------------------------------------------------------------------------------------------------


def versions_of(grant: Grant) -> QuerySet[GrantVersion]:
    """Every version, the latest first."""
    return GrantVersion.objects.filter(grant=grant).order_by("-number")


def version_of(grant: Grant, number: int) -> GrantVersion:
    """Raises NoSuchVersion."""
    version = GrantVersion.objects.filter(grant=grant, number=number).first()
    if version is None:
        raise NoSuchVersion(str(number))
    return version


def restore(grant: Grant, number: int, *, by: str = "", why: str = "") -> PermissionRequest | None:
    """Save an earlier version again, which makes a new one of it; the days come back with it. Raises NoSuchVersion."""
    version = version_of(grant, number)
    days = (version.starts_on, version.ends_on)
    return edit_permissions(
        grant, Rule.parse(version.rule), days, by=by, why=why or f"Version {number} again."
    )


def copy_permissions(source: Grant, grant: Grant, *, by: str = "", why: str = "") -> PermissionRequest | None:
    """Let `grant` see what another of the district sees; its own days stay. Raises OtherDistrict."""
    if source.district_id != grant.district_id:
        raise OtherDistrict
    days = (grant.starts_on, grant.ends_on)
    return edit_permissions(grant, rule_now(source), days, by=by, why=why or f"As {source.title}.")
