"""The snapshots of a district: what is kept and how large it is, taking one out, removing one, and how many are kept for how long."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.imports import shown
from rollbook.flows import snapshots
from rollbook.flows.connections import connections_of
from rollbook.flows.keeping import NotKept, keeping_of, set_keeping
from rollbook.flows.undo import returnable
from rollbook.refusal import Refusal
from rollbook.store.models import District, Snapshot, SnapshotAct

NUMBERS = ("snapshots", "days", "hold_days")
ACTS = 20


@in_district(Act.MANAGE_SNAPSHOTS)
def show_snapshots(request: HttpRequest, district: District) -> HttpResponse:
    if request.method != "POST":
        return _page(request, district)
    try:
        set_keeping(district, **{name: _number(request.POST.get(name, "")) for name in NUMBERS})
    except NotKept as refusal:
        return _page(request, district, refusal.words)
    messages.success(request, _("The numbers are set. What is over goes within a minute."))
    return redirect("snapshots", tenant=district.pk)


@require_POST
@in_district(Act.MANAGE_SNAPSHOTS)
def download_snapshot(request: Any, district: District, snapshot_id: int) -> Any:
    """By POST, for it leaves a trace: who took it out, and when."""
    snapshot = _snapshot_or_404(district, snapshot_id)
    try:
        with snapshots.taken_out(snapshot, request.user.email) as file:
            # A file that is open can be read to its end, whatever becomes of its name.
            answer = FileResponse(file.open("rb"), as_attachment=True, filename=f"snapshot-{snapshot.pk}.zip")
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("snapshots", tenant=district.pk)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@in_district(Act.MANAGE_SNAPSHOTS)
def remove_snapshot(request: Any, district: District, snapshot_id: int) -> HttpResponse:
    snapshot = _snapshot_or_404(district, snapshot_id)
    try:
        snapshots.remove_snapshot(snapshot, request.user.email)
        messages.success(request, _("The snapshot is removed. Its import stays, with what it changed."))
    except snapshots.StillNeeded as refusal:
        messages.error(request, f"{refusal.words} ({refusal})")
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("snapshots", tenant=district.pk)


def _page(request: HttpRequest, district: District, wrong: str = "") -> HttpResponse:
    keeping = keeping_of(district)
    reachable = {pk for one in connections_of(district) for pk in returnable(one)}
    lines = [
        {
            "kept": kept,
            "run": shown(kept.run) if kept.run else None,
            "can_return": kept.run is not None and kept.run.pk in reachable,
        }
        for kept in snapshots.snapshots_of(district)
    ]
    context = {
        "nav": "imports",
        "lines": lines,
        "total": snapshots.total_size(district),
        "numbers": {name: request.POST.get(name, getattr(keeping, name)) for name in NUMBERS},
        "acts": SnapshotAct.objects.filter(snapshot__district=district)
        .select_related("snapshot")
        .order_by("-pk")[:ACTS],
        "wrong": wrong,
    }
    return render(request, "console/snapshots.html", context, status=422 if wrong else 200)


def _number(text: str) -> int:
    """What is no number is none that is allowed."""
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 9 else 0


def _snapshot_or_404(district: District, number: int) -> Snapshot:
    try:
        return snapshots.find_snapshot(number, district)
    except snapshots.NoSuchSnapshot as refusal:
        raise Http404 from refusal
