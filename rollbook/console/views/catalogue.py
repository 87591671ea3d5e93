"""The catalogue of apps: browsed by whoever may add one to a district, kept by the installation's operators."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, districts_of, in_installation
from rollbook.console.app_form import AppForm, words_of
from rollbook.flows import catalogue
from rollbook.refusal import Refusal
from rollbook.store.models import App, District, Grant, Logo

SHOWN = 100


@in_installation(Act.SEE_CATALOGUE)
def show_catalogue(request: Any) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:200].replace("\0", "")
    with_development = request.GET.get("development") == "1"
    found = list(catalogue.browse(search, with_development=with_development)[: SHOWN + 1])
    context = {
        "nav": "catalogue",
        "apps": found[:SHOWN],
        "more": len(found) > SHOWN,
        "search": search,
        "with_development": with_development,
        "keeps": request.reach.may_here(Act.MANAGE_CATALOGUE),
        "district": only_district(request),
    }
    return render(request, "console/catalogue.html", context)


def only_district(request: Any) -> District | None:
    """The district of somebody who adds apps to one; who works in several chooses the district first."""
    districts = list(districts_of(request.user)[:2])
    if len(districts) == 1 and request.reach.may(Act.MANAGE_APPS, districts[0].pk):
        return districts[0]
    return None


@in_installation(Act.SEE_CATALOGUE)
def show_entry(request: Any, app_id: int) -> HttpResponse:
    app = app_or_404(app_id)
    keeps = request.reach.may_here(Act.MANAGE_CATALOGUE)
    grants = (
        Grant.objects.filter(app=app, removed_at=None).select_related("district").order_by("district__name")
    )
    context = {
        "nav": "catalogue",
        "app": app,
        "needs": catalogue.needs_of(app),
        "keeps": keeps,
        "grants": list(grants[:SHOWN]) if keeps else [],
        "district": only_district(request),
    }
    return render(request, "console/catalogue_entry.html", context)


def app_or_404(app_id: int) -> App:
    """The app of this number, without its picture's bytes."""
    found = App.objects.select_related("logo", "partner", "registered_by__account").defer("logo__content")
    app = found.filter(pk=app_id).first()
    if app is None:
        raise Http404
    return app


@in_installation(Act.MANAGE_CATALOGUE)
def add_entry(request: HttpRequest) -> HttpResponse:
    form = AppForm(request.POST or None, request.FILES or None)
    app = save(form, catalogue.enter) if request.method == "POST" else None
    if app is None:
        context = {"nav": "catalogue", "form": form, "back": "catalogue"}
        return render(request, "console/catalogue_form.html", context, status=422 if form.errors else 200)
    messages.success(request, _("%(app)s is in the catalogue.") % {"app": app.name})
    return redirect("catalogue-entry", app_id=app.pk)


@in_installation(Act.MANAGE_CATALOGUE)
def edit_entry(request: HttpRequest, app_id: int) -> HttpResponse:
    app = app_or_404(app_id)
    form = AppForm(request.POST or None, request.FILES or None, app, with_vendor=app.partner is None)
    saved = save(form, lambda entry: catalogue.edit(app, entry)) if request.method == "POST" else None
    if saved is None:
        context = {"nav": "catalogue", "form": form, "app": app_or_404(app_id)}
        return render(request, "console/catalogue_form.html", context, status=422 if form.errors else 200)
    messages.success(request, _("What the catalogue says of %(app)s is changed.") % {"app": app.name})
    return redirect("catalogue-entry", app_id=app.pk)


def save(form: AppForm, act: Any) -> App | None:
    """The app as `act(entry)` made it, with its logo; None when something is wrong, which then stands in the form."""
    if not form.is_valid():
        return None
    try:
        app: App = act(form.entry)
        form.picture(app)
    except Refusal as refusal:
        form.add_error("name", words_of(refusal))
        return None
    return app


@require_POST
@in_installation(Act.MANAGE_CATALOGUE)
def remove_entry(request: HttpRequest, app_id: int) -> HttpResponse:
    app = app_or_404(app_id)
    try:
        catalogue.remove(app)
    except catalogue.AppInUse as refusal:
        messages.error(request, refusal.words)
        return redirect("catalogue-entry", app_id=app_id)
    messages.success(request, _("%(app)s is no longer in the catalogue.") % {"app": app.name})
    return redirect("catalogue")


def show_logo(request: HttpRequest, app_id: int, checksum: str) -> HttpResponse:
    """The picture, to anybody who knows its address. Written anew when it came, of a kind that holds no program, and told so to browsers."""
    logo = Logo.objects.filter(app_id=app_id, checksum=checksum).first()
    if logo is None:
        raise Http404
    response = HttpResponse(bytes(logo.content), content_type=logo.kind)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    return response
