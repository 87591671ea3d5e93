"""The tokens with which operators' programs bring packages to this district: making one, which is shown once, and revoking one."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.flows import tokens
from rollbook.flows.connections import NoSuchConnection, upload_of
from rollbook.refusal import Refusal
from rollbook.store.models import District

ADDRESS = "/api/v1"


@in_district(Act.MANAGE_TOKENS)
def show_tokens(request: HttpRequest, district: District) -> HttpResponse:
    return _list(request, district)


@require_POST
@in_district(Act.MANAGE_TOKENS)
def add_token(request: Any, district: District) -> HttpResponse:
    days = request.POST.get("days", "")
    try:
        token, secret = tokens.make_token(
            request.user, district, request.POST.get("name", ""), timezone.now(),
            int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else 0,
        )  # fmt: skip
    except Refusal as refusal:
        return _list(request, district, refusal.words)
    # In the answer to a POST, so that it is in no address and no history.
    return render(
        request,
        "console/token.html",
        {"nav": "tokens", "token": token, "secret": secret} | _addresses(district),
    )


@require_POST
@in_district(Act.MANAGE_TOKENS)
def revoke_token(request: Any, district: District, token_id: int) -> HttpResponse:
    try:
        token = tokens.find_token(token_id, district)
    except tokens.NoSuchToken as refusal:
        raise Http404 from refusal
    tokens.revoke_token(token, request.user.email, timezone.now())
    messages.success(request, _("The token %(name)s opens nothing any more.") % {"name": token.name})
    return redirect("tokens", tenant=district.pk)


def _list(request: HttpRequest, district: District, wrong: str = "") -> HttpResponse:
    context = {
        "nav": "tokens",
        "tokens": tokens.tokens_of(district),
        "now": timezone.now(),
        "name": request.POST.get("name", ""),
        "days": request.POST.get("days", tokens.DAYS),
        "most": tokens.MOST_DAYS,
        "wrong": wrong,
    }
    return render(
        request, "console/tokens.html", context | _addresses(district), status=422 if wrong else 200
    )


def _addresses(district: District) -> dict[str, Any]:
    try:
        number = upload_of(district).pk
    except NoSuchConnection:
        number = 0  # no upload connection: the address is shown as an example
    return {"way_in": f"{ADDRESS}/connections/{number}/delivery", "document": f"{ADDRESS}/openapi.json"}
