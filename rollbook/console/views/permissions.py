"""What an app may see: the permissions as they are, their editing, every version of them, and what waits for a second person."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.drafts import Draft, days_of, draft_of
from rollbook.console.levels import levels_of
from rollbook.console.permission_pages import Desk, walk
from rollbook.console.places import app_page, grant_or_404
from rollbook.console.previewing import REASONS, lacking, look_at
from rollbook.console.scopes import RuleWords, rule_words
from rollbook.engine.approval import Wanted
from rollbook.engine.scope import Rule
from rollbook.flows import approvals, permission_edits
from rollbook.flows.catalogue import needs_of
from rollbook.refusal import Refusal
from rollbook.store.models import District, Grant, GrantVersion, PermissionRequest

PAGE = 50


@dataclass(frozen=True)
class Version:
    """A version in words; `is_last` where it is the one that holds."""

    version: GrantVersion
    words: RuleWords
    is_last: bool


@dataclass(frozen=True)
class Waiting:
    """An edit that waits, in words. `is_mine`: who looks asked for it, and so cannot decide it."""

    request: PermissionRequest
    words: RuleWords
    now: RuleWords
    reasons: list[Any]
    is_mine: bool


@in_district(Act.SEE_PERMISSIONS)
def show_permissions(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    rule = Rule.parse(grant.rule)
    context = {
        "words": rule_words(district, rule),
        "levels": levels_of(rule),
        "rule": rule,
        "lacking": lacking(grant, rule),
        "waiting": [_waiting(request, one) for one in approvals.open_requests(district).filter(grant=grant)],
        "may_edit": request.reach.may(Act.EDIT_PERMISSIONS, district.pk) and grant.removed_at is None,
        "may_decide": request.reach.may(Act.APPROVE_PERMISSIONS, district.pk),
    }
    return app_page(request, grant, "app-permissions", "console/permissions.html", context)


@in_district(Act.EDIT_PERMISSIONS)
def edit_permissions(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = _living_or_404(district, grant_id)

    def finish(draft: Draft) -> HttpResponse:
        if draft.version != grant.version:
            raise approvals.PermissionsMoved(grant.title)
        waits = permission_edits.edit_permissions(
            grant, draft.rule, days_of(draft), by=request.user.email, why=draft.why
        )
        _tell(request, waits)
        return redirect("app-permissions", tenant=district.pk, grant_id=grant.pk)

    begin = draft_of(
        Rule.parse(grant.rule),
        needs_of(grant.app),
        starts_on=grant.starts_on or "",
        ends_on=grant.ends_on or "",
        version=grant.version,
    )
    desk = Desk(district, grant.app, grant, request.path, lambda draft: look_at(grant, draft), finish)
    return walk(request, desk, begin)


@in_district(Act.SEE_PERMISSIONS)
def show_history(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    found = list(permission_edits.versions_of(grant)[:PAGE])
    context = {
        "versions": [_version(district, one, grant.version) for one in found],
        "decided": PermissionRequest.objects.filter(grant=grant).exclude(decision="").order_by("-pk")[:PAGE],
        "may_edit": request.reach.may(Act.EDIT_PERMISSIONS, district.pk) and grant.removed_at is None,
    }
    return app_page(request, grant, "app-history", "console/permission_history.html", context)


@require_POST
@in_district(Act.EDIT_PERMISSIONS)
def restore_version(request: Any, district: District, grant_id: int, number: int) -> HttpResponse:
    grant = _living_or_404(district, grant_id)
    try:
        _tell(request, permission_edits.restore(grant, number, by=request.user.email))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("app-permissions", tenant=district.pk, grant_id=grant.pk)


@in_district(Act.SEE_PERMISSIONS)
def show_approvals(request: Any, district: District) -> HttpResponse:
    context = {
        "nav": "apps",
        "waiting": [_waiting(request, one) for one in approvals.open_requests(district)],
        "wanted": approvals.approval_of(district),
        "may_decide": request.reach.may(Act.APPROVE_PERMISSIONS, district.pk),
        "may_set": request.reach.may(Act.MANAGE_APPS, district.pk),
    }
    return render(request, "console/approvals.html", context)


@require_POST
@in_district(Act.MANAGE_APPS)
def set_approval(request: Any, district: District) -> HttpResponse:
    text = request.POST.get("people", "").strip()
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
    wanted = Wanted("full" in request.POST, "demographics" in request.POST, number if text else None)
    try:
        approvals.set_approval(district, wanted, by=request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, _("This holds for every edit from now on."))
    return redirect("approvals", tenant=district.pk)


@require_POST
@in_district(Act.APPROVE_PERMISSIONS)
def decide_request(request: Any, district: District, request_id: int) -> HttpResponse:
    try:
        waiting = approvals.find_request(request_id, district)
    except approvals.NoSuchRequest as refusal:
        raise Http404 from refusal
    try:
        messages.success(request, _decided(waiting, request.POST, request.user.email))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("app-permissions", tenant=district.pk, grant_id=waiting.grant_id)


def _decided(waiting: PermissionRequest, typed: Any, by: str) -> str:
    """Raises NoSuchRequest, OneNotTwo, NotYours, PermissionsMoved."""
    verb, answer = typed.get("how", ""), typed.get("answer", "").strip()[:500]
    if verb == "approve":
        approvals.approve(waiting, by=by, answer=answer)
        return _("The permissions hold from now on.")
    if verb == "reject":
        approvals.reject(waiting, by=by, answer=answer)
        return _("It was not done. Who asked for it finds your answer in the history.")
    approvals.withdraw(waiting, by=by)
    return _("It is withdrawn.")


def _tell(request: HttpRequest, waits: PermissionRequest | None) -> None:
    if waits is None:
        messages.success(request, _("The permissions are saved. The app reads by them from now on."))
    else:
        messages.info(request, _("This waits for a second person. Until then everything stays as it was."))


def _waiting(request: Any, asked: PermissionRequest) -> Waiting:
    return Waiting(
        asked,
        rule_words(request.district, Rule.parse(asked.rule)),
        rule_words(request.district, Rule.parse(asked.grant.rule)),
        [REASONS.get(reason, reason) for reason in asked.reasons],
        asked.asked_by.strip().lower() == request.user.email.strip().lower(),
    )


def _version(district: District, version: GrantVersion, last: int) -> Version:
    words = rule_words(district, Rule.parse(version.rule), is_now=False)
    return Version(version, words, version.number == last)


def _living_or_404(district: District, grant_id: int) -> Grant:
    grant = grant_or_404(district, grant_id)
    if grant.removed_at is not None:
        raise Http404
    return grant
