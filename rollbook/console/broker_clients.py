"""Sign-in clients, as the people of a product or of a partner keep them, or of the installation where an app has no partner: made, told what
they may know, given another secret, revoked.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_installation
from rollbook.console.organization.access import in_product
from rollbook.console.partners import as_developer
from rollbook.engine.broker.telling import ADDRESS, NAME, ROLES, SITES, SOURCED_ID, TELLS, USERNAME, USUAL
from rollbook.flows import partners
from rollbook.flows.broker import addresses, clients
from rollbook.refusal import Refusal
from rollbook.store.models import App, Partner, Product, SignInClient

HOURS = (0, 1, 24, 168)
TELL_WORDS = {
    NAME: gettext_lazy("Name (scope profile)"),
    ADDRESS: gettext_lazy("E-mail address (scope email)"),
    USERNAME: gettext_lazy("Username (scope profile)"),
    ROLES: gettext_lazy("Roles"),
    SITES: gettext_lazy("Schools and other sites"),
    SOURCED_ID: gettext_lazy("sourcedId of the roster"),
}


class Owner:
    """Whose clients a page is about: a product's or an app's. `url` makes the addresses of its pages; `above` are the pages over them, the
    app's own last, and `edit` is where an app's redirect URIs are.
    """

    nav, edit = "sign-in-clients", ""
    above: tuple[tuple[str, Any], ...] = ()

    def __init__(self, owner: Product | App, names: str, *within: int) -> None:
        self.product = owner if isinstance(owner, Product) else None
        self.app = owner if isinstance(owner, App) else None
        self.name, self.names, self.within = owner.name, names, within

    def url(self, page: str, *more: object) -> str:
        return reverse(f"{self.names}{page}", args=[*self.within, *more])

    def client(self, client_id: str) -> SignInClient:
        found = clients.clients(self.product, self.app).filter(client_id=client_id).first()
        if found is None:
            raise Http404
        return found


View = Callable[..., HttpResponse]


def of_product(view: View) -> View:
    """`view(request, owner, …)` for a product's support."""

    @in_product(Act.MANAGE_SIGN_IN_CLIENTS)
    def guarded(request: HttpRequest, product: Product, **rest: Any) -> HttpResponse:
        return view(request, Owner(product, "product-sign-in", product.pk), **rest)

    return guarded


def of_app(view: View) -> View:
    """The same for the developers of an app."""

    @as_developer(Act.MANAGE_OWN_KEYS)
    def guarded(request: HttpRequest, partner: Partner, app_id: int, **rest: Any) -> HttpResponse:
        app = partners.apps_of(partner).filter(pk=app_id).first()
        if app is None:
            raise Http404
        owner = Owner(app, "partner-sign-in", partner.pk, app.pk)
        owner.nav, owner.edit = "partner-apps", reverse("partner-edit", args=[partner.pk, app.pk])
        owner.above = (
            (reverse("partner-apps", args=[partner.pk]), _("My apps")),
            (reverse("partner-app", args=[partner.pk, app.pk]), app.name),
        )
        return view(request, owner, **rest)

    return guarded


def of_catalogue(view: View) -> View:
    """The same for who keeps the catalogue, of an app that no partner has registered."""

    @in_installation(Act.MANAGE_CATALOGUE)
    def guarded(request: HttpRequest, app_id: int, **rest: Any) -> HttpResponse:
        app = App.objects.filter(pk=app_id, partner=None).first()
        if app is None:
            raise Http404
        owner = Owner(app, "catalogue-sign-in", app.pk)
        owner.nav, owner.edit = "catalogue", reverse("catalogue-edit", args=[app.pk])
        owner.above = (
            (reverse("catalogue"), _("Catalogue")),
            (reverse("catalogue-entry", args=[app.pk]), app.name),
        )
        return view(request, owner, **rest)

    return guarded


def show_clients(
    request: Any, owner: Owner, typed: dict[str, Any] | None = None, wrong: str = ""
) -> HttpResponse:
    rows = [(one, owner.url("-client", one.client_id)) for one in clients.clients(owner.product, owner.app)]
    context = _context(owner) | {"rows": rows, "form": _form(owner, None, typed), "wrong": wrong}
    return render(request, "console/broker_clients.html", context, status=422 if wrong else 200)


def add_client(request: Any, owner: Owner) -> HttpResponse:
    typed = _typed(request)
    try:
        made = clients.add_client(owner.product, owner.app, request.POST.get("name", ""), **typed)
    except Refusal as refusal:
        return show_clients(request, owner, typed | {"name": request.POST.get("name", "")}, refusal.words)
    return _secret(request, owner, made)


def show_client(request: Any, owner: Owner, client_id: str) -> HttpResponse:
    client = owner.client(client_id)
    if request.method != "POST":
        return _client(request, owner, client)
    typed = _typed(request) | {"name": request.POST.get("name", "")}
    try:
        clients.edit_client(client, **typed)
    except Refusal as refusal:
        return _client(request, owner, client, typed, refusal.words)
    messages.success(request, _("The sign-in client is changed."))
    return redirect(owner.url("-client", client_id))


def renew_secret(request: Any, owner: Owner, client_id: str) -> HttpResponse:
    text = request.POST.get("hours", "")
    hours = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1
    try:
        made = clients.renew_secret(owner.client(client_id), timedelta(hours=hours))
    except Refusal as refusal:
        return _client(request, owner, owner.client(client_id), wrong=refusal.words)
    return _secret(request, owner, made)


def revoke(request: Any, owner: Owner, client_id: str) -> HttpResponse:
    client = clients.revoke_client(owner.client(client_id))
    messages.success(request, _("Nobody signs in by %(client)s any more.") % {"client": client.name})
    return redirect(owner.url(""))


def _client(
    request: Any, owner: Owner, client: SignInClient, typed: dict[str, Any] | None = None, wrong: str = ""
) -> HttpResponse:
    context = _context(owner) | {
        "client": client, "form": _form(owner, client, typed), "wrong": wrong, "hours": HOURS, "renew": owner.url("-renew", client.client_id),
        "revoke": owner.url("-revoke", client.client_id),
    }  # fmt: skip
    return render(request, "console/broker_client.html", context, status=422 if wrong else 200)


def _secret(request: Any, owner: Owner, made: clients.Secret) -> HttpResponse:
    """It stands in the answer to a POST, so it is in no address and no history."""
    context = _context(owner) | {"client": made.client, "secret": made.secret, "back": owner.url("-client", made.client.client_id)}  # fmt: skip
    return render(request, "console/broker_secret.html", context)


def _context(owner: Owner) -> dict[str, Any]:
    return {
        "nav": owner.nav, "owner": owner, "every": owner.url(""), "add": owner.url("-add"),
        "issuer": addresses.issuer(), "of_app": owner.app is not None,
    }  # fmt: skip


def _form(owner: Owner, client: SignInClient | None, typed: dict[str, Any] | None) -> dict[str, Any]:
    """What stands in the form: what was typed, else what the client has, else what is usual."""
    blank = SignInClient(product=owner.product, app=owner.app, name="", tells=list(USUAL))
    kept = client or blank
    told = {
        "name": kept.name,
        "post_logout_uris": kept.post_logout_uris,
        "logout_uri": kept.logout_uri,
        "tells": kept.tells,
    }
    told = told | {"redirect_uris": clients.redirects_of(kept)} | (typed or {})
    return told | {
        "own": clients.has_own_redirects(kept),
        "tell": [(one, TELL_WORDS[one], one in told["tells"]) for one in TELLS],
    }  # fmt: skip


def _typed(request: Any) -> dict[str, Any]:
    posted = request.POST
    typed = {
        "post_logout_uris": posted.get("post_logout_uris", "").split(),
        "logout_uri": posted.get("logout_uri", "").strip(),
        "tells": posted.getlist("tell"),
    }
    return typed | ({"redirect_uris": posted["redirect_uris"].split()} if "redirect_uris" in posted else {})


def _routes(guard: Callable[[View], View], names: str) -> list[URLPattern | URLResolver]:
    one = "/<str:client_id>"
    return [
        path("", guard(show_clients), name=names),
        path("/add", require_act(guard(add_client)), name=f"{names}-add"),
        path(one, guard(show_client), name=f"{names}-client"),
        path(f"{one}/renew", require_act(guard(renew_secret)), name=f"{names}-renew"),
        path(f"{one}/revoke", require_act(guard(revoke)), name=f"{names}-revoke"),
    ]


def require_act(view: View) -> View:
    """By POST alone."""
    posted = require_POST(view)
    posted.act = view.act  # type: ignore[attr-defined]  # a test asks every route for it
    return posted


OF_PRODUCT = _routes(of_product, "product-sign-in")
OF_APP = _routes(of_app, "partner-sign-in")
OF_CATALOGUE = _routes(of_catalogue, "catalogue-sign-in")
