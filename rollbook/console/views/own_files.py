"""The files of an app's own: which there are, one of them under way as a form with its first rows, and all of them as text."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.places import app_page, grant_or_404
from rollbook.console.tailored import (
    RELATION_WORDS,
    file_words,
    groups_of,
    shown_columns,
    shown_conditions,
    shown_file,
    tables_of,
)
from rollbook.console.tailoring import (
    MOST_CONDITIONS,
    Draft,
    begun,
    done,
    draft_of,
    tailored_of,
    typed,
    why_bad,
)
from rollbook.engine.tailoring import BadTemplate, Tailored
from rollbook.flows import exports, own_files, samples
from rollbook.flows.own_files import held_by
from rollbook.refusal import Refusal
from rollbook.store.models import District, Export, Grant


@in_district(Act.MANAGE_DELIVERIES)
def show_files(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    export = exports.export_of(grant)
    return _list(request, grant, export) if export else _set_up_first(request, grant)


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def keep_text(request: Any, district: District, grant_id: int) -> HttpResponse:
    """All files, as a template."""
    grant, export = _export_or_404(district, grant_id)
    text, by = request.POST.get("template", ""), request.user.email
    try:
        own_files.keep_text(export, text, request.POST.get("seen", ""), by)
    except Refusal as refusal:
        return _list(request, grant, export, refusal.words, text)
    messages.success(request, _("The files were kept. The next package has them."))
    return redirect("app-files", tenant=district.pk, grant_id=grant.pk)


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def drop_file(request: Any, district: District, grant_id: int, place: int) -> HttpResponse:
    _grant, export = _export_or_404(district, grant_id)
    try:
        left = own_files.drop_file(export, place - 1, request.POST.get("seen", ""), request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        words = (
            _("The file is gone.")
            if left.template
            else _("The file is gone. The app gets OneRoster packages.")
        )
        messages.success(request, words)
    return redirect("app-files", tenant=district.pk, grant_id=grant_id)


@in_district(Act.MANAGE_DELIVERIES)
def add_file(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    grant, export = _export_or_404(district, grant_id)
    table = request.GET.get("from", "")
    if table not in held_by(grant, export.version).columns:
        raise Http404
    return _walk(request, export, None, table, lambda: begun(table, held_by(grant, export.version)))


@in_district(Act.MANAGE_DELIVERIES)
def edit_file(request: HttpRequest, district: District, grant_id: int, place: int) -> HttpResponse:
    grant, export = _export_or_404(district, grant_id)
    files = _files(export)
    if not 1 <= place <= len(files):
        raise Http404
    tailored = files[place - 1]
    held = held_by(grant, export.version)
    return _walk(request, export, place - 1, tailored.table, lambda: draft_of(tailored, held))


def _walk(
    request: Any, export: Export, place: int | None, table: str, begin: Callable[[], Draft]
) -> HttpResponse:
    """The form: as it is kept, as the pressed button leaves it, or kept and left behind."""
    if request.method != "POST":
        return _form(request, export, place, begin(), own_files.mark_of(export))
    draft, act, seen = typed(request.POST, table), request.POST.get("act", ""), request.POST.get("seen", "")
    if act != "save":
        draft, said = done(draft, act, request.POST)
        return _form(request, export, place, draft, seen, said=said)
    try:
        tailored = tailored_of(draft, export.version, held_by(export.grant, export.version))
        own_files.keep_file(export, place, tailored, seen, request.user.email)
    except BadTemplate as refusal:
        return _form(request, export, place, draft, seen, wrong=why_bad(draft, refusal))
    except Refusal as refusal:
        return _form(request, export, place, draft, seen, wrong=refusal.words)
    messages.success(request, _("%(file)s was kept. The next package has it.") % {"file": tailored.file})
    return redirect("app-files", tenant=export.grant.district_id, grant_id=export.grant_id)


def _form(
    request: HttpRequest,
    export: Export,
    place: int | None,
    draft: Draft,
    seen: str,
    *,
    wrong: str = "",
    said: str = "",
) -> HttpResponse:
    grant, version = export.grant, export.version
    held = held_by(grant, version)
    groups = groups_of(draft.table, version, held)
    context = {
        "draft": draft,
        "is_new": place is None,
        "table": file_words(draft.table),
        "columns": shown_columns(draft, version, held),
        "conditions": shown_conditions(draft, version, groups),
        "can_add_condition": len(draft.conditions) < MOST_CONDITIONS,
        "groups": groups,
        "relations": RELATION_WORDS.items(),
        "seen": seen,
        "wrong": wrong,
        "said": said,
        **_sample(grant, draft, version),
    }
    return app_page(request, grant, "app-export", "console/app_file.html", context, 422 if wrong else 200)


def _sample(grant: Grant, draft: Draft, version: str) -> dict[str, Any]:
    """The first rows, or why there are none to show."""
    try:
        return {
            "sample": samples.sample(grant, tailored_of(draft, version, held_by(grant, version)), version)
        }
    except BadTemplate as refusal:
        return {"not_shown": why_bad(draft, refusal)}
    except samples.NothingServed as refusal:
        return {"not_shown": refusal.words}


def _list(
    request: HttpRequest, grant: Grant, export: Export, wrong: str = "", text: str | None = None
) -> HttpResponse:
    files, held = _files(export), held_by(grant, export.version)
    cannot_be_read = bool(export.template) and not files
    context = {
        "export": export,
        "files": [shown_file(number, one, export.version) for number, one in enumerate(files, 1)],
        "tables": tables_of(held),
        "text": export.template if text is None else text,
        "seen": own_files.mark_of(export),
        "wrong": wrong,
        "cannot_be_read": cannot_be_read,
    }
    return app_page(request, grant, "app-export", "console/app_files.html", context, 422 if wrong else 200)


def _files(export: Export) -> tuple[Tailored, ...]:
    """Those that are kept; none of a template that can no longer be read, which can be mended as text."""
    try:
        return own_files.files_of(export)
    except BadTemplate:
        return ()


def _set_up_first(request: HttpRequest, grant: Grant) -> HttpResponse:
    messages.info(request, _("First say how packages reach this app. Then choose what is in them."))
    return redirect("app-export", tenant=grant.district_id, grant_id=grant.pk)


def _export_or_404(district: District, grant_id: int) -> tuple[Grant, Export]:
    grant = grant_or_404(district, grant_id)
    export = exports.export_of(grant)
    if export is None:
        raise Http404
    export.grant = grant
    return grant, export
