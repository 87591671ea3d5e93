"""How an app gets packages, and every one it got: settings of its export, the test of it, making one now, and one delivery by itself."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from rollbook.connectors.contract import Option
from rollbook.connectors.sftp_push import STEPS
from rollbook.console.access import Act, in_district
from rollbook.console.places import app_page, grant_or_404
from rollbook.engine.tailoring import BadTemplate
from rollbook.flows import deliveries, export_tests, exports
from rollbook.flows.deliveries import BULK, DELTA, DOWNLOAD
from rollbook.flows.own_files import files_of
from rollbook.flows.pickups import packages_for
from rollbook.refusal import Refusal
from rollbook.store.models import Delivery, District, Export, ExportTest, Grant

SHOWN = 25
HERE = tuple(option for option in exports.COMMON if option.name != "template")
"""The settings of this page. The files of the app's own have pages of theirs (`views.own_files`)."""

SELDOM_FROM = 4
"""Those from this place on are seldom touched, and stand folded away."""

WAYS: dict[str, Any] = {
    exports.PUSH: gettext_lazy("We bring packages to the app's server"),
    exports.PICKUP: gettext_lazy("The app fetches packages from our server"),
}
HOW: dict[str, Any] = {
    exports.PUSH: gettext_lazy("Brought by SFTP"),
    exports.PICKUP: gettext_lazy("Kept for the app to fetch"),
    DOWNLOAD: gettext_lazy("For download"),
    deliveries.COMMAND: gettext_lazy("Command line"),
}
MODES = {
    BULK: gettext_lazy("Everything"),
    DELTA: gettext_lazy("Changes"),
    deliveries.CUSTOM: gettext_lazy("By template"),
}
PHASES = {
    "waiting": gettext_lazy("It waits for a worker."),
    "reading": gettext_lazy("The package is being made."),
    "sending": gettext_lazy("The package is being handed over."),
}
OUTCOMES = {
    "": (gettext_lazy("Under way"), "azure", "clock"),
    deliveries.SUCCESS: (gettext_lazy("Succeeded"), "green", "check"),
    deliveries.FAILED: (gettext_lazy("Failed"), "red", "cross"),
    deliveries.BLOCKED: (gettext_lazy("Not made"), "orange", "stop"),
    deliveries.CANCELLED: (gettext_lazy("Cancelled"), "secondary", "stop"),
}


TESTED = {
    "": (gettext_lazy("Under way"), "azure", "clock"),
    export_tests.SUCCESS: (gettext_lazy("It works"), "green", "check"),
    export_tests.FAILED: (gettext_lazy("It does not work"), "red", "cross"),
}
ONLY_KEY = (gettext_lazy("Its key is shown"), "azure", "key")
"""What came of a test before a key of the server was accepted."""

STEP_WORDS = {
    "sign in": gettext_lazy("Rollbook signs in at the server."),
    "folder": gettext_lazy("It looks for the folder."),
    "file": gettext_lazy("It puts a small file there."),
    "rename": gettext_lazy("It renames the file, and takes it away."),
}


@dataclass(frozen=True)
class Mark:
    """What a delivery came to, in words, a colour and a sign."""

    words: Any
    colour: str
    icon: str
    number: int | None = None


@dataclass(frozen=True)
class Line:
    """A delivery as it is listed."""

    delivery: Delivery
    how: Any
    mode: Any
    outcome: Mark
    rows: int


@dataclass(frozen=True)
class Field:
    """One setting to be filled in; `kept` says that a secret is known already."""

    option: Option
    value: str
    kept: bool


@in_district(Act.MANAGE_DELIVERIES)
def show_export(request: Any, district: District, grant_id: int) -> HttpResponse:
    """Its settings, and what it got. By POST the settings are changed."""
    grant = grant_or_404(district, grant_id)
    if request.method != "POST":
        return _page(request, grant)
    way = request.POST.get("way", "")
    if way not in WAYS:
        raise Http404
    options = (*HERE, *exports.WAYS[way])
    filled = {option.name: request.POST.get(option.name, "") for option in options}
    try:
        exports.set_export(grant, way, filled, request.user.email, enabled="enabled" in request.POST)
    except Refusal as refusal:
        return _page(request, grant, refusal.words, filled)
    messages.success(request, _("The settings were kept."))
    return _back(grant)


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def test_export(request: Any, district: District, grant_id: int) -> HttpResponse:
    """A worker asks the server; its page shows what came of it."""
    grant = grant_or_404(district, grant_id)
    try:
        export_tests.ask(grant, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return _back(grant)


@in_district(Act.MANAGE_DELIVERIES)
def show_test_progress(request: HttpRequest, district: District, grant_id: int, test_id: int) -> HttpResponse:
    """A piece of the page; once the test has ended, the word to load the whole page anew."""
    grant = grant_or_404(district, grant_id)
    try:
        test = export_tests.find_test(grant, test_id)
    except Refusal:
        return HttpResponseClientRefresh()
    if test.outcome:
        return HttpResponseClientRefresh()
    step = _step(test)
    context = {"grant_id": grant.pk, "test": test, "step": step, "is_news": request.GET.get("step") != step}
    return render(request, "console/export_test_now.html", context | {"again": True})


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def remove_export(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    try:
        exports.remove_export(grant)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, _("It gets no packages any more. What it got stays in the list."))
    return _back(grant)


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def deliver(request: Any, district: District, grant_id: int) -> HttpResponse:
    """A package now: given to the app as its settings say, or for whoever asks to download."""
    grant = grant_or_404(district, grant_id)
    by, asked = request.user.email, request.POST
    mode = asked.get("mode", "") if asked.get("mode") in (BULK, DELTA) else ""
    version = asked.get("version", "") if asked.get("version") in ("1.1", "1.2") else ""
    try:
        if "download" in asked:
            made = deliveries.ask(grant, DOWNLOAD, by, version=version, mode=mode or BULK)
        else:
            made = deliveries.hand_over(grant, by, mode=mode)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return _back(grant)
    return redirect("delivery", tenant=district.pk, grant_id=grant.pk, delivery_id=made.pk)


@in_district(Act.MANAGE_DELIVERIES)
def show_delivery(request: HttpRequest, district: District, grant_id: int, delivery_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    delivery = _delivery_or_404(grant, delivery_id)
    context = {
        "line": _line(delivery),
        "delivery": delivery,
        "phase": PHASES.get(delivery.phase, ""),
        "can_download": delivery.kept and delivery.way == DOWNLOAD,
    }
    return app_page(request, grant, "app-export", "console/delivery.html", context)


@in_district(Act.MANAGE_DELIVERIES)
def show_delivery_progress(
    request: HttpRequest, district: District, grant_id: int, delivery_id: int
) -> HttpResponse:
    """A piece of a page; once the delivery has ended, the word to load the whole page anew."""
    delivery = _delivery_or_404(grant_or_404(district, grant_id), delivery_id)
    if delivery.outcome:
        return HttpResponseClientRefresh()
    context = {"delivery": delivery, "grant_id": grant_id, "phase": PHASES.get(delivery.phase, "")}
    return render(request, "console/delivery_now.html", context)


@in_district(Act.MANAGE_DELIVERIES)
def download(request: HttpRequest, district: District, grant_id: int, delivery_id: int) -> Any:
    """The package, while it is kept, for those who asked for it here."""
    delivery = _delivery_or_404(grant_or_404(district, grant_id), delivery_id)
    if delivery.way != DOWNLOAD:
        raise Http404
    try:
        path = deliveries.kept_package(delivery)
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("delivery", tenant=district.pk, grant_id=grant_id, delivery_id=delivery_id)
    answer = FileResponse(path.open("rb"), as_attachment=True, filename=delivery.file_name)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@in_district(Act.MANAGE_DELIVERIES)
def cancel(request: Any, district: District, grant_id: int, delivery_id: int) -> HttpResponse:
    delivery = _delivery_or_404(grant_or_404(district, grant_id), delivery_id)
    try:
        deliveries.cancel(delivery, request.user.email)
    except Refusal as refusal:
        messages.error(request, refusal.words)
    else:
        messages.success(request, _("The delivery is cancelled."))
    return redirect("delivery", tenant=district.pk, grant_id=grant_id, delivery_id=delivery_id)


def _page(
    request: HttpRequest,
    grant: Grant,
    wrong: str = "",
    filled: dict[str, str] | None = None,
) -> HttpResponse:
    export = exports.export_of(grant)
    way = request.POST.get("way") or request.GET.get("way") or (export.way if export else "")
    way = way if way in WAYS else ""
    found = deliveries.deliveries_of(grant.district).filter(grant_id=grant.pk)[:SHOWN]
    context = {
        "export": export,
        "way": way,
        "way_words": WAYS.get(way, ""),
        "other_ways": [(name, words) for name, words in WAYS.items() if name != way],
        "ways": WAYS.items(),
        "common": _fields(HERE[:SELDOM_FROM], export, way, filled) if way else [],
        "seldom": _fields(HERE[SELDOM_FROM:], export, way, filled) if way else [],
        "fields": _fields(exports.WAYS[way], export, way, filled) if way else [],
        "files": _file_names(export),
        "wrong": wrong,
        **_last_test(grant, export),
        "only_whole": exports.why_only_whole(grant, export.template if export else ""),
        "next": exports.next_delivery(export, timezone.now()) if export else None,
        "sftp_port": settings.SFTP_PORT,
        "lines": [_line(one) for one in found],
        "waiting": packages_for(grant.pk) if export and export.way == exports.PICKUP else [],
    }
    return app_page(request, grant, "app-export", "console/app_export.html", context, 422 if wrong else 200)


def _last_test(grant: Grant, export: Export | None) -> dict[str, Any]:
    test = export_tests.tests_of(grant).exclude(outcome=export_tests.REPLACED).first() if export else None
    if test is None or export is None:
        return {}
    is_only_key = test.outcome == export_tests.SUCCESS and export.way == exports.PUSH and test.known == 1
    words, colour, sign = ONLY_KEY if is_only_key else TESTED[test.outcome]
    return {
        "test": test,
        "step": _step(test),
        "test_mark": Mark(words, colour, sign),
        "is_old_test": export_tests.is_of_other_settings(test, export),
    }


def _step(test: ExportTest) -> str:
    """What it does now, in words."""
    if test.phase == "waiting":
        return str(PHASES["waiting"])
    if test.known == len(STEPS):
        return str(STEP_WORDS[STEPS[min(test.done, len(STEPS) - 1)]])
    return _("The server is asked for its key.")


def _fields(
    options: tuple[Option, ...], export: Export | None, way: str, filled: dict[str, str] | None
) -> list[Field]:
    texts = exports.as_filled(export, way) | (filled or {})
    is_same = export is not None and export.way == way
    known = exports.secrets_of(export) if export and is_same else {}
    return [
        Field(
            option,
            "" if option.secret else texts.get(option.name, ""),
            option.secret and any(name.startswith(option.name) for name in known),
        )
        for option in options
    ]


def _file_names(export: Export | None) -> list[str]:
    """The files of the app's own; none where it gets OneRoster packages."""
    try:
        return [one.file for one in files_of(export)] if export else []
    except BadTemplate:
        return [_("a template that can no longer be read")]


def _line(delivery: Delivery) -> Line:
    words, colour, sign = OUTCOMES[delivery.outcome]
    return Line(
        delivery,
        HOW.get(delivery.way, delivery.way),
        MODES.get(delivery.mode, delivery.mode),
        Mark(words, colour, sign),
        sum(delivery.counts.values()),
    )


def _back(grant: Grant) -> HttpResponse:
    return redirect("app-export", tenant=grant.district_id, grant_id=grant.pk)


def _delivery_or_404(grant: Grant, number: int) -> Delivery:
    delivery = Delivery.objects.filter(pk=number, grant_id=grant.pk).first()
    if delivery is None:
        raise Http404
    return delivery
