"""What the addresses by which apps are given packages do: JSON is read, a flow acts, JSON is answered. `intake` says who may."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse

from rollbook.api.route import ROOT
from rollbook.api.sent import BadBody, Json, answered, sent, text
from rollbook.connectors.contract import BadSetting
from rollbook.engine.tailoring import BadTemplate
from rollbook.flows import deliveries, export_tests, exports, own_files
from rollbook.flows.acting import actor
from rollbook.flows.apps import NoSuchGrant
from rollbook.flows.deliveries import BULK, DELTA, DOWNLOAD, NoSuchDelivery
from rollbook.flows.samples import MOST_ROWS
from rollbook.flows.timetable import BadSchedule
from rollbook.refusal import Refusal
from rollbook.store.models import Delivery, ExportTest, Grant, OperatorToken

LATEST = 100
Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], Any]

STATUS: dict[type[Refusal], int] = {
    NoSuchDelivery: 404,
    export_tests.NoSuchTest: 404,
    **dict.fromkeys((BadSetting, BadSchedule, BadTemplate, exports.BadWay, exports.NoSuchOption), 422),
}


def _export(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return answered(exports.told(exports.the_export_of(_grant(token, numbers))))


def _set_export(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    given = sent(request, "way", "enabled", "settings")
    filled = given.get("settings") or {}
    if not isinstance(filled, dict) or not all(isinstance(value, str) for value in filled.values()):
        raise BadBody("settings")
    enabled = given["enabled"] is True if "enabled" in given else None
    way = text(given, "way")
    return answered(
        exports.told(exports.set_export(_grant(token, numbers), way, filled, actor().name, enabled=enabled))
    )


def _remove_export(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    exports.remove_export(_grant(token, numbers))
    return HttpResponse(status=204)


def _test_export(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    """A worker asks the server; nobody waits for its answer here."""
    grant = _grant(token, numbers)
    told = _told_test(export_tests.ask(grant, actor().name), grant)
    response = answered(told, 202)
    response["Location"] = told["href"]
    return response


def _export_test(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    return answered(_told_test(export_tests.find_test(grant, numbers["test"]), grant))


def _told_test(test: ExportTest, grant: Grant) -> Json:
    href = f"{settings.PUBLIC_URL}{ROOT}/apps/{grant.pk}/export/tests/{test.pk}"
    return export_tests.told(test) | {"href": href}


def _export_columns(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    version = _version(grant)
    return answered({"version": version, "files": dict(own_files.held_by(grant, version).columns)})


def _sample_files(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    template = text(sent(request, "template"), "template") or exports.the_export_of(grant).template
    found = own_files.samples_of(grant, template, _version(grant), MOST_ROWS)
    return answered({"files": [{"file": file, **asdict(one)} for file, one in found]})


def _version(grant: Grant) -> str:
    export = exports.export_of(grant)
    return export.version if export else "1.2"


def _deliveries(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    found = deliveries.deliveries_of(token.district).filter(grant_id=grant.pk)[:LATEST]
    return answered({"deliveries": [_told(one, grant) for one in found]})


def _add_delivery(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    given = sent(request, "download", "mode", "version")
    grant, mode, version = _grant(token, numbers), text(given, "mode"), text(given, "version")
    if mode not in ("", BULK, DELTA) or version not in ("", "1.1", "1.2"):
        raise BadBody("mode" if mode not in ("", BULK, DELTA) else "version")
    if given.get("download") is True:
        made = deliveries.ask(grant, DOWNLOAD, actor().name, version=version, mode=mode or BULK)
    else:
        made = deliveries.hand_over(grant, actor().name, mode=mode)
    told = _told(made, grant)
    response = answered(told, 202)
    response["Location"] = told["href"]
    return response


def _delivery(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    found = deliveries.find_delivery(numbers["delivery"], token.district)
    return answered(_told(found, Grant.objects.select_related("app").filter(pk=found.grant_id).first()))


def _cancel(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    deliveries.cancel(deliveries.find_delivery(numbers["delivery"], token.district), actor().name)
    return _delivery(_, token, numbers)


def _package(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> Any:
    found = deliveries.find_delivery(numbers["delivery"], token.district)
    if found.way != DOWNLOAD:
        raise NoSuchDelivery(str(found.pk))
    response = FileResponse(
        deliveries.kept_package(found).open("rb"), as_attachment=True, filename=found.file_name,
        content_type="application/zip",
    )  # fmt: skip
    response["Cache-Control"] = "no-store"
    return response


def _told(delivery: Delivery, grant: Grant | None) -> Json:
    told = deliveries.told(delivery, grant.title if grant else "")
    return told | {"href": f"{settings.PUBLIC_URL}{ROOT}/deliveries/{delivery.pk}"}


def _grant(token: OperatorToken, numbers: dict[str, int]) -> Grant:
    """Raises NoSuchGrant."""
    found = Grant.objects.select_related("app", "district").filter(
        district=token.district, pk=numbers["grant"]
    )
    grant = found.first()
    if grant is None:
        raise NoSuchGrant(str(numbers["grant"]))
    return grant


HANDLES: dict[str, Handle] = {
    "export": _export,
    "set_export": _set_export,
    "remove_export": _remove_export,
    "test_export": _test_export,
    "export_test": _export_test,
    "export_columns": _export_columns,
    "sample_files": _sample_files,
    "deliveries": _deliveries,
    "add_delivery": _add_delivery,
    "delivery": _delivery,
    "cancel_delivery": _cancel,
    "package": _package,
}
