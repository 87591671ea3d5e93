"""Whose sign-in is whose: (issuer, tenant, subject) is a member, through the account that all of a member's sign-ins share."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from rollbook.engine.signing_in.claims import Claims
from rollbook.flows import audit
from rollbook.flows.acting import actor
from rollbook.refusal import Refusal
from rollbook.store.models import Account, Identity, IdentityProvider, Member, Organization


class NoSuchIdentity(Refusal):
    """The member has no sign-in of this number."""


def link(
    provider: IdentityProvider,
    member: Member,
    claims: Claims,
    rung: str,
    now: datetime,
    *,
    in_place: bool = False,
) -> Identity:
    """This sign-in is this member's from now on; `in_place` ends what is in its way. Call it in a transaction.

    A member has no more than one subject of an issuer, and a subject is one member: a second one raises django.db.IntegrityError.
    """
    if in_place:
        for other in _in_the_way(member, claims):
            end(other, now)
    made = Identity.objects.create(
        organization=member.organization, provider=provider, account=account_of(member), member_id=member.id, issuer=claims.issuer,
        tenant=claims.tenant, subject=claims.subject, rung=rung, linked_at=now,
    )  # fmt: skip
    _note(made, "identity.link", {"provider": provider.name, "rung": rung})
    return made


def _in_the_way(member: Member, claims: Claims) -> list[Identity]:
    every = Identity.objects.filter(organization=member.organization_id, issuer=claims.issuer, ended_at=None)
    theirs = every.filter(member_id=member.id)
    same = every.filter(tenant=claims.tenant, subject=claims.subject)
    return list(theirs.union(same))


def account_of(member: Member) -> Account:
    """The member's account, made where there is none: it has no address, so that nobody takes it for an operator's.

    Behind the organization's lock two who come at once get one.
    """
    Organization.objects.select_for_update().only("pk").get(pk=member.organization_id)
    member.refresh_from_db(fields=["account"])
    if member.account is None:
        member.account = Account.objects.create_user(None)
        Member.objects.filter(organization=member.organization_id, id=member.id).update(
            account=member.account
        )
    return member.account


def end(identity: Identity, now: datetime) -> None:
    """This sign-in is nobody's any more, and who came in by it is out at their next step."""
    with transaction.atomic():
        identity.ended_at, identity.ended_by = now, actor().name[:254]
        identity.save(update_fields=["ended_at", "ended_by"])
        _note(identity, "identity.end", {"provider": identity.provider.name})


def identities_of(member: Member) -> QuerySet[Identity]:
    """The sign-ins that are a member's now, the oldest first."""
    found = Identity.objects.filter(organization=member.organization_id, member_id=member.id, ended_at=None)
    return found.select_related("provider").order_by("linked_at", "pk")


def find_identity(member: Member, number: int) -> Identity:
    """Raises NoSuchIdentity."""
    found = identities_of(member).filter(pk=number).first()
    if found is None:
        raise NoSuchIdentity(str(number))
    return found


def _note(identity: Identity, act: str, after: dict[str, str]) -> None:
    number = f"{identity.organization_id}/{identity.member_id}"
    audit.record(None, act, "member", number, after={"identity": identity.pk, **after})
