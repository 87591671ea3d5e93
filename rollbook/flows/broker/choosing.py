"""Which organization, or which district, somebody belongs to whom a client sends: by what the client hints at, by what they chose before.

Nobody is guessed: where more than one could be meant, they are asked.
"""

from collections.abc import Iterable

from rollbook.engine.signing_in.claims import LAUNCH_PAD
from rollbook.flows.directory import is_number
from rollbook.oneroster.folding import fold
from rollbook.store.models import Grant, IdentityProvider, LaunchPad, Organization, SignInClient

MOST = 20
FEWEST_LETTERS = 3


def organizations_of(client: SignInClient) -> list[Organization]:
    """Those of the client's product whose members can sign in, by name."""
    open_ones = IdentityProvider.objects.filter(is_active=True, removed_at=None)
    found = Organization.objects.filter(product=client.product_id, pk__in=open_ones.values("organization"))
    return list(found.select_related("product").order_by("name", "pk"))


def organization_meant(client: SignInClient, number: str, hint: str, remembered: str) -> Organization | None:
    """The one organization that is meant: by its number, by the domain of an e-mail address, by what was chosen before, or as the only one."""
    every = organizations_of(client)
    if number:
        return _of_number(every, number)
    domain = fold(hint.rpartition("@")[2]) if "@" in hint else ""
    by_domain = [one for one in every if domain and domain in one.domains]
    if len(by_domain) == 1:
        return by_domain[0]
    return _of_number(every, remembered.removeprefix("o")) or (every[0] if len(every) == 1 else None)


def _of_number(every: Iterable[Organization], number: str) -> Organization | None:
    return next((one for one in every if is_number(number) and one.pk == int(number)), None)


def organizations_called(client: SignInClient, text: str) -> list[Organization]:
    """Those that somebody may choose from: all, where they are few, else those whose name has what they typed."""
    every = organizations_of(client)
    if len(every) <= MOST:
        return every
    wanted = fold(text.strip())
    return [one for one in every if wanted in fold(one.name)][:MOST] if len(wanted) >= FEWEST_LETTERS else []


def has_many(client: SignInClient) -> bool:
    """Whether names have to be typed, because not all are shown."""
    return len(organizations_of(client)) > MOST


def pad_providers(client: SignInClient, tenant: str) -> list[IdentityProvider]:
    """The ways into the client's organizations by this district's launch pad."""
    found = IdentityProvider.objects.filter(
        organization__product=client.product_id, preset=LAUNCH_PAD.key, is_active=True, removed_at=None
    ).select_related("organization__product")  # fmt: skip
    return [one for one in found.order_by("organization__name", "pk") if tenant in one.tenants]


def pads_of(client: SignInClient) -> list[LaunchPad]:
    """The launch pads of the districts that share the client's app, by the districts' names."""
    sharing = Grant.objects.filter(app=client.app_id, enabled=True, removed_at=None)
    found = LaunchPad.objects.select_related("district").filter(
        is_on=True, district__in=sharing.values("district")
    )
    return list(found.order_by("district__name", "pk"))


def pad_meant(client: SignInClient, tenant: str, remembered: str) -> LaunchPad | None:
    """The one launch pad that is meant: by its district's Tenant ID, by what was chosen before, or as the only one."""
    every = pads_of(client)
    if tenant:
        return next((one for one in every if str(one.district_id) == tenant), None)
    before = remembered.removeprefix("d")
    chosen = next((one for one in every if str(one.district_id) == before), None)
    return chosen or (every[0] if len(every) == 1 else None)
