"""What an app is called in a district and what is said of it there; switching it on and off; removing it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.places import app_page, grant_or_404
from rollbook.flows import applications
from rollbook.flows.launching.apps import launch_now, set_launch_date
from rollbook.refusal import Refusal
from rollbook.store.models import District, Grant


@in_district(Act.MANAGE_APPS)
def edit_app(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    if request.method != "POST":
        return _edit_page(request, grant, applications.particulars(grant))
    if request.POST.get("from") in ("launch", "launch-now"):
        return _set_launch_date(request, grant)
    entry = _catalogue_entry(grant) if request.POST.get("from") == "catalogue" else _typed(request)
    try:
        applications.edit_particulars(grant, entry, by=request.user.email)
    except Refusal as refusal:
        about = f" ({refusal})" if str(refusal) else ""
        return _edit_page(request, grant, entry, refusal.words + about)
    messages.success(request, _("The particulars are saved."))
    return redirect("app-edit", tenant=district.pk, grant_id=grant.pk)


def _set_launch_date(request: Any, grant: Grant) -> HttpResponse:
    """From when on people find the app on their launch pad."""
    try:
        if request.POST["from"] == "launch-now":
            launch_now(grant, by=request.user.email)
        else:
            set_launch_date(grant, request.POST.get("launches_on", ""), by=request.user.email)
    except Refusal as refusal:
        return _edit_page(request, grant, applications.particulars(grant), refusal.words)
    messages.success(request, _("The launch date is saved."))
    return redirect("app-edit", tenant=grant.district_id, grant_id=grant.pk)


def _typed(request: HttpRequest) -> dict[str, Any]:
    entry: dict[str, Any] = {field: request.POST.get(field, "") for field in applications.OWN}
    return entry | {"redirect_uris": request.POST.get("redirect_uris", "").split()}


def _catalogue_entry(grant: Grant) -> dict[str, Any]:
    return {field: getattr(grant.app, field) for field in applications.OWN}


def _edit_page(request: HttpRequest, grant: Grant, entry: dict[str, Any], wrong: str = "") -> HttpResponse:
    is_own = any(field in grant.own for field in applications.OWN)
    context = {
        "entry": entry,
        "redirects": "\n".join(entry["redirect_uris"]),
        "is_own": is_own,
        "wrong": wrong,
    }
    return app_page(
        request, grant, "app-edit", "console/app_edit.html", context, status=422 if wrong else 200
    )


@in_district(Act.MANAGE_APPS)
def rename_app(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant, wrong = grant_or_404(district, grant_id), ""
    name = request.POST.get("name", grant.title)
    if request.method == "POST":
        try:
            applications.rename(grant, name, by=request.user.email)
        except Refusal as refusal:
            wrong = refusal.words
        else:
            messages.success(request, _("It is called %(name)s here from now on.") % {"name": grant.title})
            return redirect("app", tenant=district.pk, grant_id=grant.pk)
    context = {"name": name, "wrong": wrong}
    return app_page(
        request, grant, "app-rename", "console/app_rename.html", context, status=422 if wrong else 200
    )


@require_POST
@in_district(Act.MANAGE_APPS)
def switch_app(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant, is_enabled = grant_or_404(district, grant_id), request.POST.get("to") == "on"
    try:
        applications.switch(grant, is_enabled)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        words = _("%(name)s reads from now on.") if is_enabled else _("%(name)s gets nothing from now on.")
        messages.success(request, words % {"name": grant.title})
    return redirect("app", tenant=district.pk, grant_id=grant.pk)


@in_district(Act.MANAGE_APPS)
def remove_app(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    if request.method != "POST" or grant.removed_at is not None:
        keys = grant.credentials.filter(revoked_at=None).count()
        return app_page(request, grant, "app-remove", "console/app_remove.html", {"keys": keys})
    applications.remove_application(grant, by=request.user.email)
    messages.success(
        request, _("%(name)s is removed: its keys open nothing any more.") % {"name": grant.title}
    )
    return redirect("apps", tenant=district.pk)
