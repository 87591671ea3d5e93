"""The keys of an app: what it signs in with, and everything that can be done with one of them. A secret stands in no address."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.places import app_page, grant_or_404
from rollbook.flows import keys
from rollbook.oneroster import scopes
from rollbook.refusal import Refusal
from rollbook.store.models import Credential, District, Grant

PLACE = "app-keys"
ADDRESSES = {
    "v1p1": gettext_lazy("OneRoster 1.1"),
    "v1p2": gettext_lazy("OneRoster 1.2 rostering"),
    "token": gettext_lazy("Token address (OAuth 2)"),
}
OVERLAPS = (
    (0, gettext_lazy("ends at once")),
    (1, gettext_lazy("holds for one more hour")),
    (24, gettext_lazy("holds for one more day")),
    (168, gettext_lazy("holds for one more week")),
    (720, gettext_lazy("holds for 30 more days")),
)


@in_district(Act.MANAGE_KEYS)
def show_keys(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    return _list(request, grant_or_404(district, grant_id))


@require_POST
@in_district(Act.MANAGE_KEYS)
def add_key(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    if grant.removed_at:
        raise Http404
    try:
        key = keys.add_key(
            grant,
            oauth1="oauth1" in request.POST,
            name=request.POST.get("name", ""),
            expires_at=_end(request.POST.get("ends", ""), district),
            addresses=request.POST.get("addresses", "").splitlines(),
        )
    except Refusal as refusal:
        return _list(request, grant, _words(refusal))
    return _secret(request, grant, key.client_id, key.client_secret, is_fresh=True)


@in_district(Act.MANAGE_KEYS)
def show_key(request: HttpRequest, district: District, grant_id: int, key_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    return _page(request, grant, _key_or_404(grant, key_id))


@require_POST
@in_district(Act.MANAGE_KEYS)
def turn_key(request: Any, district: District, grant_id: str, key_id: str, turn: str) -> HttpResponse:
    """One act on one key; what is refused is said on its page."""
    grant = grant_or_404(district, int(grant_id))
    key = _key_or_404(grant, int(key_id))
    try:
        return TURNS[turn](request, grant, key)
    except Refusal as refusal:
        return _page(request, grant, key, _words(refusal))


def _renew(request: HttpRequest, grant: Grant, key: Credential) -> HttpResponse:
    hours = request.POST.get("keep", "24")
    keep = timedelta(hours=int(hours) if hours.isascii() and hours.isdecimal() and len(hours) < 5 else -1)
    made = keys.renew_secret(key, keep)
    return _secret(request, grant, made.client_id, made.client_secret, is_fresh=True, keeps=bool(keep))


def _end_former(request: HttpRequest, grant: Grant, key: Credential) -> HttpResponse:
    keys.end_former_secret(key)
    return _done(request, grant, key, _("The former secret opens nothing any more."))


def _expire(request: HttpRequest, grant: Grant, key: Credential) -> HttpResponse:
    end = _end(request.POST.get("ends", ""), grant.district)
    keys.set_end(key, end)
    return _done(request, grant, key, _("The end of the key was set.") if end else _("The key has no end."))


def _allow(request: HttpRequest, grant: Grant, key: Credential) -> HttpResponse:
    lines = [
        line for line in request.POST.get("addresses", "").replace(",", "\n").splitlines() if line.strip()
    ]
    keys.set_addresses(key, lines)
    words = (
        _("The key is used from these addresses only.") if lines else _("The key may be used from anywhere.")
    )
    return _done(request, grant, key, words)


def _show_secret(request: Any, grant: Grant, key: Credential) -> HttpResponse:
    """Only to who knows the password of the account they are signed in with; tries are few."""
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        return _page(request, grant, key, _("Too many tries. Wait a minute."), status=429)
    if not request.user.check_password(request.POST.get("password", "")):
        keys.note_refused_look(key)
        return _page(request, grant, key, _("This is not your password."))
    return _secret(request, grant, key.client_id, keys.read_secret(key), is_fresh=False)


def _revoke(request: HttpRequest, grant: Grant, key: Credential) -> HttpResponse:
    keys.revoke_key(key.client_id)
    messages.success(request, _("The key is revoked and opens nothing any more."))
    return redirect("app-keys", tenant=grant.district_id, grant_id=grant.pk)


TURNS = {
    "renew": _renew,
    "end-former": _end_former,
    "expire": _expire,
    "allow": _allow,
    "secret": _show_secret,
    "revoke": _revoke,
}


def _list(request: HttpRequest, grant: Grant, wrong: str = "") -> HttpResponse:
    context = {
        "keys": keys.keys_of(grant),
        "addresses": _addresses(),
        "scopes": sorted(scopes.ALL),
        "wrong": wrong,
        "typed": request.POST,
        "today": timezone.localdate(),
    }
    return app_page(request, grant, PLACE, "console/app_keys.html", context, status=422 if wrong else 200)


def _addresses() -> list[tuple[str, Any, str]]:
    return [(name, ADDRESSES[name], address) for name, address in keys.endpoints().items()]


def _page(
    request: HttpRequest, grant: Grant, key: Credential, wrong: str = "", status: int = 422
) -> HttpResponse:
    key.refresh_from_db()
    context = {
        "key": keys.standing_of(key),
        "overlaps": OVERLAPS,
        "wrong": wrong,
        "today": timezone.localdate(),
        "typed": request.POST,
    }
    return app_page(request, grant, PLACE, "console/app_key.html", context, status=status if wrong else 200)


def _secret(
    request: HttpRequest, grant: Grant, client_id: str, secret: str, *, is_fresh: bool, keeps: bool = False
) -> HttpResponse:
    """In the answer to a POST, so that it is in no address and no history."""
    key = Credential.objects.get(grant=grant, client_id=client_id)
    context = {
        "key": keys.standing_of(key),
        "secret": secret,
        "is_fresh": is_fresh,
        "keeps": keeps,
        "addresses": _addresses(),
    }
    return app_page(request, grant, PLACE, "console/app_secret.html", context)


def _done(request: HttpRequest, grant: Grant, key: Credential, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("app-key", tenant=grant.district_id, grant_id=grant.pk, key_id=key.pk)


def _key_or_404(grant: Grant, key_id: int) -> Credential:
    found = Credential.objects.filter(grant=grant, pk=key_id).select_related("grant__district").first()
    if found is None:
        raise Http404
    return found


def _end(text: str, district: District) -> datetime | None:
    """The end of that day by the district's clock; None where nothing was written. Raises InThePast for what is no day."""
    if not text.strip():
        return None
    try:
        day = parse_date(text.strip())
    except ValueError:
        day = None
    if day is None:
        raise keys.InThePast(text)
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(district.time_zone)).astimezone(UTC)


def _words(refusal: Refusal) -> str:
    return f"{refusal.words} ({refusal})" if str(refusal) else refusal.words
