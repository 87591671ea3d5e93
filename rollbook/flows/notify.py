"""Notify: e-mails to the people who run a district. They say what happened and where to look, and name nobody."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse

from rollbook.store.models import District, Grant, Operator, Run

log = logging.getLogger(__name__)


def tell_operators(district: District, subject: str, words: str) -> int:
    """One e-mail to each operator of the district who can sign in; how many were sent. A mail server that is down costs only the mail."""
    addresses = _addresses(district)
    if not addresses:
        return 0
    messages = [EmailMessage(f"{subject} ({district.name})", words, to=[address]) for address in addresses]
    try:
        return get_connection().send_messages(messages) or 0
    except (OSError, SMTPException) as fault:
        log.error("no e-mail could be sent about district %s: %s", district.pk, type(fault).__name__)
        return 0


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
