"""Notify: e-mails to those who run a district, administer an organization, or support a product. They say what happened and where to look,
and name nobody.

`post` sends them.
"""

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from rollbook.store.models import (
    Administrator,
    District,
    Grant,
    Letter,
    Operator,
    Organization,
    Run,
    SyncConnection,
)


def tell_operators(district: District, subject: str, words: str) -> int:
    """One e-mail to each operator of the district who can sign in; how many were written.

    They are written in the caller's transaction and leave after it: what is told and the telling come true together.
    """
    return _write(_addresses(district), f"{subject} ({district.name})", words, district=district)


def tell_district_administrators(district: District, subject: str, words: str) -> int:
    """The same to those of its operators who administer all of it."""
    return _write(
        _addresses(district, Operator.OperatorRole.DISTRICT),
        f"{subject} ({district.name})",
        words,
        district=district,
    )


def tell_administrators(organization: Organization, subject: str, words: str) -> int:
    """The same to each of the organization's administrators; who administers single sites is not written to."""
    posts = Administrator.objects.filter(
        organization=organization, role=Administrator.AdministratorRole.ORGANIZATION, left_at=None
    )
    addresses = posts.filter(account__is_active=True).values_list("account__email", flat=True)
    return _write(
        sorted({address for address in addresses if address}),
        f"{subject} ({organization.name})",
        words,
        organization=organization,
    )


def tell_support(organization: Organization, subject: str, words: str) -> int:
    """The same to the support of the organization's product."""
    posts = Administrator.objects.filter(
        product=organization.product_id, role=Administrator.AdministratorRole.SUPPORT, left_at=None
    )
    addresses = posts.filter(account__is_active=True).values_list("account__email", flat=True)
    return _write(
        sorted({address for address in addresses if address}),
        f"{subject} ({organization.name})",
        words,
        organization=organization,
    )


def tell_one(organization: Organization, address: str, subject: str, words: str) -> int:
    """The same to one person who has to do with the organization."""
    return _write([address], f"{subject} ({organization.name})", words, organization=organization)


def _write(addresses: Iterable[str], subject: str, words: str, **about: District | Organization) -> int:
    now = timezone.now()
    letters = [
        Letter(address=address, subject=subject[:300], words=words, written_at=now, next_at=now, **about)
        for address in addresses
    ]
    return len(Letter.objects.bulk_create(letters))


def import_address(run: Run) -> str:
    """Where the console shows a run."""
    path = reverse("import", kwargs={"tenant": run.district_id, "run_id": run.pk})
    return f"{settings.PUBLIC_URL}{path}"


def connections_address(district: District) -> str:
    """Where the console shows a district's connections."""
    return f"{settings.PUBLIC_URL}{reverse('connections', kwargs={'tenant': district.pk})}"


def export_address(grant: Grant) -> str:
    """Where the console shows how an app gets packages, and which it got."""
    path = reverse("app-export", kwargs={"tenant": grant.district_id, "grant_id": grant.pk})
    return f"{settings.PUBLIC_URL}{path}"


def calendar_address(district: District) -> str:
    """Where the console shows a district's calendar."""
    return f"{settings.PUBLIC_URL}{reverse('calendar', kwargs={'tenant': district.pk})}"


def sync_holds_address(connection: SyncConnection) -> str:
    """Where the console shows what a sync holds."""
    where = {"organization_id": connection.organization_id, "connection_id": connection.pk}
    return f"{settings.PUBLIC_URL}{reverse('sync-holds', kwargs=where)}"


def support_answer_address(organization: Organization, number: int) -> str:
    """Where the console lets a product's support answer a request for help."""
    where = {"product_id": organization.product_id, "number": number}
    return f"{settings.PUBLIC_URL}{reverse('support-answer', kwargs=where)}"


def help_address(organization: Organization) -> str:
    """Where the console shows an organization what it asked and what was answered."""
    return f"{settings.PUBLIC_URL}{reverse('ask-help', kwargs={'organization_id': organization.pk})}"


def _addresses(district: District, role: str = "") -> list[str]:
    posts = Operator.objects.filter(district=district, account__is_active=True, account__email__isnull=False)
    if role:
        posts = posts.filter(role=role)
    return sorted({address for address in posts.values_list("account__email", flat=True) if address})
