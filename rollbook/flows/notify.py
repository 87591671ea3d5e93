"""Notify: e-mails to the people who run a district. They say what happened and where to look, and name nobody. `post` sends them."""

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from rollbook.store.models import District, Grant, Letter, Operator, Run


def tell_operators(district: District, subject: str, words: str) -> int:
    """One e-mail to each operator of the district who can sign in; how many were written.

    They are written in the caller's transaction and leave after it: what is told and the telling come true together.
    """
    now = timezone.now()
    letters = [
        Letter(
            district=district, address=address, subject=f"{subject} ({district.name})"[:300], words=words,
            written_at=now, next_at=now,
        )
        for address in _addresses(district)
    ]  # fmt: skip
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


def _addresses(district: District) -> list[str]:
    posts = Operator.objects.filter(district=district, account__is_active=True, account__email__isnull=False)
    return sorted(set(posts.values_list("account__email", flat=True)))
