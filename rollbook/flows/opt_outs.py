"""Opting out: a person of whom an app, or every app, is not told. It is kept beside the roster, so no import can undo it."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.permission_edits import NotADay
from rollbook.flows.publish import leave_out, locked, today_of
from rollbook.refusal import Refusal
from rollbook.store.models import District, Grant, OptOut, User


class NoSuchPerson(Refusal):
    """This district has no person with this sourcedId: the console lists them under Roster, Users."""


class ReasonNeeded(Refusal):
    """Say why, so that whoever asks later finds an answer: a parent's letter, a court's order, a wish."""


class NoSuchOptOut(Refusal):
    """There is no opt-out of this number, or it was withdrawn: `rollbook grant opt-outs` shows those there are."""


class GrantElsewhere(Refusal):
    """This grant is not of this district."""


def opt_out(
    district: District,
    sourced_id: str,
    grant: Grant | None,
    reason: str,
    *,
    by: str = "",
    starts_on: str | None = None,
    ends_on: str | None = None,
) -> OptOut:
    """From `starts_on` (today without it) to `ends_on`, both included, `grant` is not told of the person; without one, no app is.

    Publishes what that changes today; packages of before, which may tell of the person, wait for no app any more. Raises NoSuchPerson,
    ReasonNeeded, NotADay, GrantElsewhere.
    """
    if not reason.strip():
        raise ReasonNeeded
    if grant is not None and grant.district_id != district.pk:
        raise GrantElsewhere(str(grant.pk))
    person = User.objects.filter(district=district, sourced_id=sourced_id).first()
    if person is None:
        raise NoSuchPerson(sourced_id)
    first, last = _day(starts_on) or today_of(district), _day(ends_on)
    if last is not None and last < first:
        raise NotADay(f"{first}, {last}")
    with transaction.atomic():
        # First, so that every publication that does not know of it is older than it: by that its packages are told apart.
        locked(district.pk)
        made = OptOut.objects.create(
            district=district,
            user_id=person.id,
            grant=grant,
            reason=reason.strip(),
            starts_on=first,
            ends_on=last,
            by=(by or actor().name)[:200],
        )
        leave_out(district.pk, grant)
        _note(made, "opt-out.add", sourced_id, made.by)
    return made


def withdraw(made: OptOut, *, by: str = "") -> None:
    """The opt-out ends now and stays as history; what it kept back is published. Raises NoSuchOptOut."""
    with transaction.atomic():
        found = OptOut.objects.select_for_update().filter(pk=made.pk, withdrawn_at=None).first()
        if found is None:
            raise NoSuchOptOut(str(made.pk))
        found.withdrawn_by, found.withdrawn_at = (by or actor().name)[:200], timezone.now()
        found.save(update_fields=["withdrawn_by", "withdrawn_at"])
        leave_out(found.district_id, found.grant)
        _note(found, "opt-out.withdraw", sourced_id_of(found), found.withdrawn_by)


def find_opt_out(number: int, district: District | None = None) -> OptOut:
    """Raises NoSuchOptOut."""
    found = OptOut.objects.select_related("grant__app").filter(pk=number)
    made = (found.filter(district=district) if district else found).first()
    if made is None:
        raise NoSuchOptOut(str(number))
    return made


def opt_outs_of(
    district: District, grant: Grant | None = None, *, withdrawn: bool = False
) -> QuerySet[OptOut]:
    """The opt-outs of a district, or those that concern one grant, the latest first; those withdrawn too where asked for."""
    found = OptOut.objects.filter(district=district).select_related("grant__app").order_by("-pk")
    if grant is not None:
        found = found.filter(grant__in=[grant]) | found.filter(grant=None)
    return found if withdrawn else found.filter(withdrawn_at=None)


def sourced_id_of(made: OptOut) -> str:
    """The person's served id; a record outlives its deletion, so there is one."""
    return User.objects.values_list("sourced_id", flat=True).get(
        district_id=made.district_id, id=made.user_id
    )


def _day(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as fault:
        raise NotADay(text) from fault


def _note(made: OptOut, act: str, sourced_id: str, by: str) -> None:
    about = made.grant.title if made.grant else "every app"
    days = {"starts on": made.starts_on, "ends on": made.ends_on}
    audit.record(made.district_id, act, "user", sourced_id, about, after={"opt-out": made.pk} | days, by=by)
