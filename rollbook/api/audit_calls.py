"""What the addresses of the audit log do: entries are told, exported and checked. `intake` says who may."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from rollbook.api.sent import answered, csv_answer, moment
from rollbook.flows import audit
from rollbook.store.models import AuditEntry, OperatorToken

MOST_ENTRIES = 100

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]


def _audit(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    return _log(request, token.district_id)


def _installation_audit(request: HttpRequest, _: OperatorToken, __: dict[str, int]) -> HttpResponse:
    return _log(request, None)


def _log(request: HttpRequest, chain: int | None) -> HttpResponse:
    found, before = _found(request, chain), request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 16:
        found = found.filter(number__lt=int(before))
    return answered({"entries": [audit.told(entry) for entry in found[:MOST_ENTRIES]]})


def _found(request: HttpRequest, chain: int | None) -> QuerySet[AuditEntry]:
    """What is asked for. Raises BadBody for a moment that is none."""
    since, until = (moment(request.GET, name) for name in ("since", "until"))
    return audit.entries(
        chain, request.GET.get("q", "")[:200], request.GET.get("act", "")[:60], since=since, until=until
    )


def _audit_csv(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    return _file(request, token.district_id, f"audit-{token.district_id}.csv")


def _installation_audit_csv(request: HttpRequest, _: OperatorToken, __: dict[str, int]) -> HttpResponse:
    return _file(request, None, "audit-installation.csv")


def _file(request: HttpRequest, chain: int | None, name: str) -> HttpResponse:
    found = _found(request, chain)
    audit.record(chain, "audit.export", "audit", "", after=dict(request.GET.items()))
    return csv_answer(audit.rows(found), name)


def _verify_audit(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    return _verdict(token.district_id)


def _verify_installation_audit(_: HttpRequest, __: OperatorToken, ___: dict[str, int]) -> HttpResponse:
    return _verdict(None)


def _verdict(chain: int | None) -> HttpResponse:
    found = audit.verify(chain)
    told = {"holds": found.holds, "entries": found.entries, "hash": found.hash, "wrong": found.wrong}
    return answered(told)


HANDLES: dict[str, Handle] = {
    "audit": _audit,
    "audit_csv": _audit_csv,
    "verify_audit": _verify_audit,
    "installation_audit": _installation_audit,
    "installation_audit_csv": _installation_audit_csv,
    "verify_installation_audit": _verify_installation_audit,
}
