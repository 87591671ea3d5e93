"""A partner's own pages: its apps, the districts that added them, its developers, and its keys of the partner API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rollbook.console.access import Act
from rollbook.console.activity import moment
from rollbook.console.app_form import AppForm, words_of
from rollbook.console.partners import as_developer
from rollbook.console.views.catalogue import save
from rollbook.console.views.partners import developer_or_404, invited, key_made, key_turned, left, way_in
from rollbook.flows import catalogue, keys, partner_access, partners
from rollbook.oneroster.operations import BASES
from rollbook.refusal import Refusal
from rollbook.store.models import App, Grant, Partner

DOCUMENT = "/applications/openapi.json"


@dataclass(frozen=True)
class Application:
    """One app in one district, as its maker sees it: the keys that open it now."""

    grant: Grant
    keys: list[tuple[keys.Standing, datetime | None]]


@never_cache
@login_required
def choose(request: Any) -> HttpResponse:
    """The partner of a developer who has one; a choice for who has several."""
    posts = partners.posts_of(request.user)
    if not posts:
        raise Http404
    if len(posts) == 1:
        return redirect("partner-apps", partner_id=posts[0].partner_id)
    return render(request, "console/partner_choose.html", {"posts": posts})


@as_developer(Act.SEE_OWN_APPS)
def show_apps(request: HttpRequest, partner: Partner) -> HttpResponse:
    grants = list(partner_access.applications(partner))
    rows = [(app, sum(grant.app_id == app.pk for grant in grants)) for app in partners.apps_of(partner)]
    return render(request, "console/partner_apps.html", {"nav": "partner-apps", "apps": rows})


@as_developer(Act.REGISTER_APPS)
def register(request: Any, partner: Partner) -> HttpResponse:
    form = AppForm(request.POST or None, request.FILES or None, with_vendor=False)
    if request.method == "POST":
        app = save(form, lambda entry: catalogue.enter(entry, request.developer))
        if app is not None:
            messages.success(request, _("%(app)s is registered.") % {"app": app.name})
            return redirect("partner-app", partner_id=partner.pk, app_id=app.pk)
    else:
        form.initial = {"in_development": True}
    return _form(request, form)


@as_developer(Act.REGISTER_APPS)
def edit(request: HttpRequest, partner: Partner, app_id: int) -> HttpResponse:
    app = _app_or_404(partner, app_id)
    form = AppForm(request.POST or None, request.FILES or None, app, with_vendor=False)
    if request.method == "POST" and save(form, lambda entry: catalogue.edit(app, entry)):
        messages.success(request, _("What the catalogue says of %(app)s is changed.") % {"app": app.name})
        return redirect("partner-app", partner_id=partner.pk, app_id=app.pk)
    return _form(request, form, _app_or_404(partner, app_id))


def _form(request: HttpRequest, form: AppForm, app: App | None = None) -> HttpResponse:
    context = {"nav": "partner-apps", "form": form, "app": app}
    return render(request, "console/catalogue_form.html", context, status=422 if form.errors else 200)


def _app_or_404(partner: Partner, app_id: int) -> App:
    app = partners.apps_of(partner).select_related("partner").filter(pk=app_id).first()
    if app is None:
        raise Http404
    return app


@as_developer(Act.SEE_OWN_APPS)
def show_app(request: HttpRequest, partner: Partner, app_id: int) -> HttpResponse:
    app = _app_or_404(partner, app_id)
    grants = partner_access.applications(partner).filter(app=app)
    context = {
        "nav": "partner-apps",
        "app": app,
        "needs": catalogue.needs_of(app),
        "applications": [Application(grant, _live_keys(grant)) for grant in grants],
    }
    return render(request, "console/partner_app.html", context)


def _live_keys(grant: Grant) -> list[tuple[keys.Standing, datetime | None]]:
    """The keys that open something now, and when each was last used."""
    live = (one for one in keys.keys_of(grant, timezone.now()) if one.state == "live")
    return [(one, None if one.used_at is None else moment(one.used_at)) for one in live]


@require_POST
@as_developer(Act.MANAGE_OWN_KEYS)
def show_key(request: HttpRequest, partner: Partner, number: int) -> HttpResponse:
    """The latest pair for OAuth 1.0a. It stands in the answer to a POST, so it is in no address and no history."""
    return _key(request, partner, number, make=False)


@require_POST
@as_developer(Act.MANAGE_OWN_KEYS)
def make_key(request: HttpRequest, partner: Partner, number: int) -> HttpResponse:
    """A new key for OAuth 2, shown this once."""
    return _key(request, partner, number, make=True)


@require_POST
@as_developer(Act.MANAGE_OWN_KEYS)
def renew_bearer(request: HttpRequest, partner: Partner, number: int) -> HttpResponse:
    """The list has another bearer from now on; it is not shown here, where nobody needs it."""
    grant = _application_or_404(partner, number)
    try:
        partner_access.renew_bearer(grant)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(
            request,
            _("The bearer of %(district)s is a new one: the list of the partner API has it.")
            % {"district": grant.district.name},
        )
    return redirect("partner-app", partner_id=partner.pk, app_id=grant.app_id)


def _key(request: HttpRequest, partner: Partner, number: int, make: bool) -> HttpResponse:
    grant = _application_or_404(partner, number)
    try:
        if make:
            made = partner_access.mint(grant)
            pair = (made.client_id, made.client_secret)
        else:
            known = partner_access.readable_key(grant, timezone.now())
            pair = (known.client_id, known.oauth1_secret)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("partner-app", partner_id=partner.pk, app_id=grant.app_id)
    context = {
        "nav": "partner-apps", "grant": grant, "client_id": pair[0], "client_secret": pair[1], "is_new": make,
        "endpoint": settings.PUBLIC_URL + BASES[("1.1", "rostering")],
    }  # fmt: skip
    return render(request, "console/partner_key.html", context)


def _application_or_404(partner: Partner, number: int) -> Grant:
    try:
        return partner_access.find_application(partner, number)
    except partner_access.NoSuchApplication as refusal:
        raise Http404 from refusal


@as_developer(Act.MANAGE_DEVELOPERS)
def show_developers(request: HttpRequest, partner: Partner, wrong: str = "") -> HttpResponse:
    context = {
        "nav": "partner-developers",
        "developers": list(partners.developers_of(partner)),
        "typed": {name: request.POST.get(name, "") for name in ("email", "name", "role")},
        "wrong": wrong,
    }
    return render(request, "console/partner_developers.html", context, status=422 if wrong else 200)


@require_POST
@as_developer(Act.MANAGE_DEVELOPERS)
def invite(request: HttpRequest, partner: Partner) -> HttpResponse:
    if wrong := invited(request, partner):
        return show_developers(request, partner_id=partner.pk, wrong=wrong)
    return redirect("partner-developers", partner_id=partner.pk)


@require_POST
@as_developer(Act.MANAGE_DEVELOPERS)
def let_go(request: HttpRequest, partner: Partner, developer_id: int) -> HttpResponse:
    left(request, developer_or_404(partner, developer_id))
    return redirect("partner-developers", partner_id=partner.pk)


@as_developer(Act.MANAGE_OWN_KEYS)
def show_keys(request: Any, partner: Partner) -> HttpResponse:
    wrong = ""
    if request.method == "POST":
        try:
            key, secret = key_made(request, partner)
        except Refusal as refusal:
            wrong = words_of(refusal)
        else:
            context = {"nav": "partner-keys", "key": key, "secret": secret, "way_in": way_in()}
            return render(request, "console/partner_secret.html", context)
    context = {
        "nav": "partner-keys",
        "partner": partner,
        "keys": list(partners.keys_of(partner)),
        "now": timezone.now(),
        "wrong_key": wrong,
        "typed": {name: request.POST.get(name, "") for name in ("name", "ends")},
        "way_in": way_in(),
        "document": DOCUMENT,
    }
    return render(request, "console/partner_keys.html", context, status=422 if wrong else 200)


@require_POST
@as_developer(Act.MANAGE_OWN_KEYS)
def turn_key(request: HttpRequest, partner: Partner, key_id: int, turn: str) -> HttpResponse:
    key_turned(request, partner, key_id, turn)
    return redirect("partner-keys", partner_id=partner.pk)
