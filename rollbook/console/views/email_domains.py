"""The e-mail domains of a district: a card on the page of settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.views.settings import settings_page
from rollbook.flows.email_domains import NotADomain, set_domains
from rollbook.store.models import District


@require_POST
@in_district(Act.MANAGE_SEVERITIES)
def change_email_domains(request: Any, district: District) -> HttpResponse:
    text = request.POST.get("domains", "")
    try:
        made = set_domains(district, _written(text), request.user.email)
    except NotADomain as refusal:
        return settings_page(request, district, domains=text, wrong=refusal.words)
    messages.success(request, _told(made))
    return redirect("settings", tenant=district.pk)


def _written(text: str) -> list[str]:
    """One a line, or with commas, semicolons or spaces between them."""
    return text.replace(",", " ").replace(";", " ").split()


def _told(made: tuple[str, ...]) -> str:
    if not made:
        return _("No address is judged by its domain from now on.")
    return _("The domains are set. They hold from the next package on.")
