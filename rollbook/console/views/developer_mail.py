"""E-mail developer: what it is about is chosen, a note is written, the message is shown word for word, and then it is sent."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from rollbook.console.access import Act, in_district
from rollbook.console.places import app_page, grant_or_404
from rollbook.flows import developer_mail
from rollbook.flows.developer_mail import ALL, REGISTERED
from rollbook.refusal import Refusal
from rollbook.store.models import District, Grant, Operator

LATEST = 25


@in_district(Act.WRITE_TO_DEVELOPER)
def write(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    if request.method != "POST":
        return _page(request, grant)
    try:
        message = developer_mail.compose(
            grant, request.POST.get("template", ""), request.POST.get("note", ""),
            _name(request, district), request.user.email or "", _to(request),
        )  # fmt: skip
    except Refusal as refusal:
        return _page(request, grant, wrong=f"{refusal.words} ({refusal})" if str(refusal) else refusal.words)
    if request.POST.get("act") != "send":
        return _page(request, grant, message=message)
    sent = developer_mail.send(grant, message, request.user.email or "", timezone.now())
    if sent.reason:
        messages.error(request, _("It was not sent to everybody.") + " " + sent.reason)
    else:
        messages.success(
            request, _("It is sent to %(names)s.") % {"names": ", ".join(developer_mail.sent_to(sent))}
        )
    return redirect("app-email", tenant=district.pk, grant_id=grant.pk)


def _to(request: Any) -> str:
    return ALL if request.POST.get("to") == ALL else REGISTERED


def _name(request: Any, district: District) -> str:
    """Who writes, as the district knows them."""
    posts = Operator.objects.filter(account=request.user).order_by("district_id")
    names = [post.name for post in posts if post.name and post.district_id in (district.pk, None)]
    return f"{names[0]}, {district.name}" if names else district.name


def _page(request: Any, grant: Grant, wrong: str = "", message: Any = None) -> HttpResponse:
    context: dict[str, Any] = {
        "templates": developer_mail.TEMPLATES.items(),
        "typed": {name: request.POST.get(name, "") for name in ("template", "note", "to")},
        "wrong": wrong,
        "message": message,
        "mails": list(developer_mail.mails_of(grant)[:LATEST]),
        "most": developer_mail.MOST_NOTE,
    } | _recipients(grant)
    return app_page(
        request, grant, "app-email", "console/developer_mail.html", context, 422 if wrong else 200
    )


def _recipients(grant: Grant) -> dict[str, Any]:
    try:
        return {"first": developer_mail.recipients(grant), "all": developer_mail.recipients(grant, ALL)}
    except developer_mail.NobodyToWriteTo:
        return {"first": (), "all": ()}
