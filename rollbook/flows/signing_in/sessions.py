"""Whether somebody who came in still may be in: asked at each of their steps, so that a session ends with what it rested on."""

from rollbook.engine.sync.operations import ACTIVE
from rollbook.refusal import Refusal
from rollbook.store.models import Account, Identity, IdentityProvider, Member


class NotInAnyMore(Refusal):
    """You are signed out: your access here has ended, or the way you came in by has."""


def member_of(account: Account, organization_id: int, identity_id: int) -> Member:
    """The member who came in by this identity, as they are now. Raises NotInAnyMore."""
    identity = Identity.objects.filter(
        pk=identity_id, organization=organization_id, account=account, ended_at=None, provider__is_active=True, account__is_active=True
    ).first()  # fmt: skip
    found = Member.objects.select_related("organization__product")
    member = (
        found.filter(
            organization=organization_id, id=identity.member_id, state=ACTIVE, account=account
        ).first()
        if identity
        else None
    )
    if member is None:
        raise NotInAnyMore
    return member


def provider_of(organization_id: int, identity_id: int) -> IdentityProvider | None:
    """The provider that this identity came by."""
    found = Identity.objects.filter(pk=identity_id, organization=organization_id).select_related("provider")
    identity = found.first()
    return identity.provider if identity else None
