"""A second person: which edits of permissions a district wants one for, what waits for one, and what was decided. Never by who asked."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.engine.approval import DEMOGRAPHICS, FULL, PEOPLE, Wanted
from rollbook.engine.scope import Rule
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.flows.publish import locked, set_rule
from rollbook.refusal import Refusal
from rollbook.store.models import ApprovalRule, District, Grant, PermissionRequest

APPROVED = PermissionRequest.Decision.APPROVED
REJECTED = PermissionRequest.Decision.REJECTED
WITHDRAWN = PermissionRequest.Decision.WITHDRAWN

WORDS = {
    FULL: "it lets the app see everything",
    DEMOGRAPHICS: "it adds demographics",
    PEOPLE: "it adds many people",
}
"""Why an edit waits, to stand behind `because`."""


class NotACount(Refusal):
    """How many people an edit may add without a second person is a whole number from 0 on, or empty for any number."""


class NoSuchRequest(Refusal):
    """No edit of permissions waits under this number: `rollbook grant requests` shows those that do."""


class OneNotTwo(Refusal):
    """Who asked for an edit cannot approve or reject it: somebody else must look at it. You can withdraw it."""


class NotYours(Refusal):
    """Only who asked for an edit withdraws it. Reject it instead."""


class PermissionsMoved(Refusal):
    """The permissions were changed after this was asked, so it would not do what it said. Ask again."""


def approval_of(district: District) -> Wanted:
    """What the district wants a second person for; nothing where it has not said."""
    rule = ApprovalRule.objects.filter(district=district).first()
    return Wanted(rule.full, rule.demographics, rule.people) if rule else Wanted()


def set_approval(district: District, wanted: Wanted, *, by: str = "") -> None:
    """From now on; what waits already goes on waiting. Raises NotACount."""
    if wanted.people is not None and not 0 <= wanted.people <= 100_000_000:
        raise NotACount(str(wanted.people))
    before = approval_of(district)
    with transaction.atomic():
        ApprovalRule.objects.update_or_create(
            district=district,
            defaults={"full": wanted.full, "demographics": wanted.demographics, "people": wanted.people},
        )
        audit.record(
            district.pk, "approval.set", "district", district.pk, district.name,
            before=vars(before), after=vars(wanted), by=by,
        )  # fmt: skip


def open_requests(district: District) -> QuerySet[PermissionRequest]:
    """What waits for a second person, the oldest first."""
    found = PermissionRequest.objects.filter(grant__district=district, grant__removed_at=None, decision="")
    return found.select_related("grant__app", "grant__district").order_by("pk")


def find_request(number: int, district: District | None = None) -> PermissionRequest:
    """Raises NoSuchRequest."""
    found = PermissionRequest.objects.select_related("grant__app", "grant__district").filter(pk=number)
    request = (found.filter(grant__district=district) if district else found).first()
    if request is None:
        raise NoSuchRequest(str(number))
    return request


def ask(
    grant: Grant,
    rule: Rule,
    days: tuple[str | None, str | None],
    reasons: Iterable[str],
    people: int,
    by: str,
    why: str,
) -> PermissionRequest:
    """Keep an edit for a second person; an earlier one of the same grant that still waits is withdrawn by it."""
    with transaction.atomic():
        for earlier in PermissionRequest.objects.filter(grant=grant, decision=""):
            _decide(earlier, WITHDRAWN, by, "Another edit was asked for.")
        request = PermissionRequest.objects.create(
            grant=grant, version=grant.version, rule=rule.canonical(), starts_on=days[0], ends_on=days[1],
            reasons=list(reasons), people=people, asked_by=by, why=why,
        )  # fmt: skip
        _note(request, "permissions.ask", by, {"reasons": request.reasons, "people": people})
    return request


def approve(request: PermissionRequest, answer: str = "", *, by: str = "") -> Grant:
    """Save the edit as it was asked for. Raises NoSuchRequest, OneNotTwo, PermissionsMoved."""
    by = (by or actor().name)[:200]
    with transaction.atomic():
        locked(request.grant.district_id)  # before the audit log, as everywhere
        request = _waiting(request)
        _refuse_one_person(request, by)
        grant = Grant.objects.select_for_update().get(pk=request.grant_id)
        if grant.version != request.version or grant.removed_at is not None:
            raise PermissionsMoved(str(request.pk))
        grant.starts_on, grant.ends_on = request.starts_on, request.ends_on
        _decide(request, APPROVED, by, answer)
        set_rule(
            grant, Rule.parse(request.rule), f"what {grant.title} may see",
            by=f"{request.asked_by}, approved by {by}"[:200], why=request.why,
        )  # fmt: skip
    return grant


def reject(request: PermissionRequest, answer: str, *, by: str = "") -> None:
    """It is not done, and stays as history with the reason. Raises NoSuchRequest, OneNotTwo."""
    by = (by or actor().name)[:200]
    with transaction.atomic():
        request = _waiting(request)
        _refuse_one_person(request, by)
        _decide(request, REJECTED, by, answer)


def withdraw(request: PermissionRequest, *, by: str = "") -> None:
    """Who asked wants it no more. Raises NoSuchRequest, NotYours."""
    by = (by or actor().name)[:200]
    with transaction.atomic():
        request = _waiting(request)
        if person(request.asked_by) != person(by):
            raise NotYours
        _decide(request, WITHDRAWN, by, "")


def _waiting(request: PermissionRequest) -> PermissionRequest:
    """The request itself, locked; two people may press the button at once."""
    found = PermissionRequest.objects.select_for_update().filter(pk=request.pk, decision="").first()
    if found is None:
        raise NoSuchRequest(str(request.pk))
    return found


def person(name: str) -> str:
    """Who acts, whichever door they came in by: names of actors say that in brackets behind."""
    return name.partition(" (")[0].strip().lower()


def _refuse_one_person(request: PermissionRequest, by: str) -> None:
    if person(request.asked_by) == person(by):
        raise OneNotTwo(str(request.pk))


def _decide(request: PermissionRequest, decision: str, by: str, answer: str) -> None:
    request.decision, request.decided_by, request.answer = decision, by, answer
    request.decided_at = timezone.now()
    request.save(update_fields=["decision", "decided_by", "answer", "decided_at"])
    _note(request, f"permissions.{decision}", by, {"asked by": request.asked_by, "answer": answer})


def _note(request: PermissionRequest, act: str, by: str, after: dict[str, object]) -> None:
    grant = request.grant
    audit.record(
        grant.district_id, act, "grant", grant.pk, grant.title, after={"request": request.pk} | after, by=by
    )
