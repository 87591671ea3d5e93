"""Activating: the product's support connects an organization with a district that lets the product read already and gave its Tenant ID away.

The product sees what it saw before, and the district is told; where the district shares nothing yet, it is asked (`inviting`).
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.flows.notify import tell_district_administrators
from rollbook.flows.sync.inviting import BESIDE, Answer, Lets, answer, app_of, connect, is_shared
from rollbook.refusal import Refusal
from rollbook.store.models import Invitation, Product, SyncConnection


class NotSharedYet(Refusal):
    """This district has not added the product's app, has not enabled it, or lets it see nothing yet: its administrators do that, or accept."""


def waiting_of(product: Product, now: datetime | None = None) -> QuerySet[Invitation]:
    """Those of all its organizations that can still be answered, the longest first."""
    found = Invitation.objects.filter(
        organization__product=product, answer="", expires_at__gt=now or timezone.now()
    )
    return found.select_related(*BESIDE).order_by("asked_at", "pk")


def activate(
    invitation: Invitation, by: str, now: datetime | None = None
) -> tuple[SyncConnection, list[str]]:
    """Connects an organization with a district that lets the product read already; the product sees what it saw. The district is told.

    Raises NotOpen, NotSharedYet, and as `connect` does: then the organization can try again by itself.
    """
    if not is_shared(invitation):
        raise NotSharedYet
    organization = invitation.organization
    app = app_of(organization)
    with transaction.atomic():
        answer(
            invitation, Answer.ACCEPTED, by, now or timezone.now(), verb="activate", lets=str(Lets.AS_IT_IS)
        )
        tell_district_administrators(
            invitation.district,
            f"{organization.name} is connected to your roster",
            f"{app.name} reads your roster already. Its support has now connected {organization.name}, which was given your Tenant ID "
            f"({invitation.district_id}), to what it sees. It sees no more than before.\n\n"
            "If that organization is not yours, take the app's key out under Applications, and ask its maker why.",
        )
    return connect(invitation, by)
