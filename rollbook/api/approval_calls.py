"""What the addresses for a second person, and for copied permissions, do: a flow acts, JSON is answered. `intake` says who may."""

from collections.abc import Callable
from dataclasses import replace

from django.http import HttpRequest, HttpResponse

from rollbook.api.app_calls import living, permissions_of
from rollbook.api.sent import BadBody, Json, answered, sent, text
from rollbook.flows import approvals, permission_edits
from rollbook.flows.acting import actor
from rollbook.refusal import Refusal
from rollbook.store.models import OperatorToken

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]

STATUS: dict[type[Refusal], int] = {approvals.NotACount: 422}


def _rule(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    return answered(vars(approvals.approval_of(token.district)))


def _set_rule(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    asked = sent(request, "full", "demographics", "people")
    wanted = replace(approvals.approval_of(token.district), **_judged(asked))
    approvals.set_approval(token.district, wanted, by=actor().name)
    return answered(vars(wanted))


def _judged(asked: Json) -> Json:
    """Raises BadBody."""
    for name, value in asked.items():
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not (is_number or value is None if name == "people" else isinstance(value, bool)):
            raise BadBody(name)
    return asked


def _copy(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = living(token, numbers)
    asked = sent(request, "from", "why")
    number = asked.get("from")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**18:
        raise BadBody("from")
    source = living(token, {"grant": number})
    waits = permission_edits.copy_permissions(source, grant, by=actor().name, why=text(asked, "why"))
    return answered(permissions_of(grant), 202 if waits else 200)


HANDLES: dict[str, Handle] = {
    "approval_rule": _rule,
    "set_approval_rule": _set_rule,
    "copy_permissions": _copy,
}
