"""Adding an application: the catalogue, the pages of its permissions, and *All done*. Nothing is stored before the last button."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.catalogue_cards import shelf_of
from rollbook.console.drafts import Draft, days_of, first_draft
from rollbook.console.levels import levels_of
from rollbook.console.permission_pages import Desk, walk
from rollbook.console.places import app_page, grant_or_404
from rollbook.console.previewing import look_at
from rollbook.console.scopes import rule_words
from rollbook.engine.scope import Rule
from rollbook.flows import applications
from rollbook.flows.approvals import open_requests
from rollbook.flows.apps import grant_of
from rollbook.flows.catalogue import needs_of
from rollbook.refusal import Refusal
from rollbook.store.models import App, District, Grant, Product


@in_district(Act.REQUEST_APP)
def choose_app(request: Any, district: District) -> HttpResponse:
    context = {
        "nav": "apps",
        "shelf": shelf_of(district, request.GET),
        "may_add": request.reach.may(Act.MANAGE_APPS, district.pk),
    }
    return render(request, "console/app_add.html", context)


@in_district(Act.MANAGE_APPS)
def add_app(request: Any, district: District, app_id: int) -> HttpResponse:
    app = _app_or_404(app_id)
    there = grant_of(district, app)
    if there is not None and not applications.is_requested(there):
        return redirect("app", tenant=district.pk, grant_id=there.pk)

    def finish(draft: Draft) -> HttpResponse:
        grant, _waits = applications.add_application(
            district, app, draft.rule, days_of(draft),
            enabled=draft.enabled, by=request.user.email, why=draft.why,
        )  # fmt: skip
        return redirect("app-added", tenant=district.pk, grant_id=grant.pk)

    def look(draft: Draft) -> dict[str, Any]:
        return look_at(there or Grant(district=district, app=app), draft)

    desk = Desk(district, app, None, request.path, look, finish)
    return walk(request, desk, first_draft(needs_of(app)))


@in_district(Act.MANAGE_APPS)
def show_added(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    rule = Rule.parse(grant.rule)
    context = {
        "words": rule_words(district, rule),
        "levels": levels_of(rule),
        "waiting": open_requests(district).filter(grant=grant).first(),
        "has_keys": grant.credentials.filter(revoked_at=None).exists(),
        "is_product": Product.objects.filter(app=grant.app_id).exists(),
    }
    return app_page(request, grant, "app", "console/app_added.html", context)


@require_POST
@in_district(Act.REQUEST_APP)
def request_app(request: Any, district: District, app_id: int) -> HttpResponse:
    try:
        grant = applications.request_application(
            district, _app_or_404(app_id), by=request.user.email, why=request.POST.get("why", "")
        )
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("app-add", tenant=district.pk)
    messages.success(
        request,
        _("The administrators of the district see that you ask for %(name)s.") % {"name": grant.title},
    )
    return redirect("apps", tenant=district.pk)


def _app_or_404(app_id: int) -> App:
    app = App.objects.filter(pk=app_id).first()
    if app is None:
        raise Http404
    return app
