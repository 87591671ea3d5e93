"""The reads: one story for every collection and every single record, told through the reader's eyes alone."""

import contextlib
import logging
from itertools import chain

from django.http import HttpRequest, HttpResponse

from rollbook.api import access_log, allowance, callers, discovery, envelope, rate, refusals
from rollbook.api.call import Call, begin
from rollbook.api.endpoints import matches
from rollbook.oneroster.query import parse
from rollbook.oneroster.spec import Operation
from rollbook.store import pages
from rollbook.store.unseen import unseen_by
from rollbook.store.visibility import NotVisible, Reader

log = logging.getLogger(__name__)


def answer(request: HttpRequest, application: int | None = None) -> HttpResponse:
    """The answer to any request under /ims/oneroster, also below an application of the partner API.

    Never raises: a fault is logged under the id that the answer names.
    """
    call = begin(request, application)
    try:
        response = discovery.document(call) or _read(call)
    except refusals.REFUSED as refusal:
        response = refusals.answer(call, refusal)
    except Exception:
        # The door of a process that serves others: one request is lost, and its caller is told so.
        log.exception("fault %s in %s %s", call.id, call.version, call.operation_id or call.method)
        response = refusals.fault(call)
    access_log.note(call, response.status_code)
    if response.status_code != 304:
        response.setdefault("Content-Length", str(len(response.content)))
    return response


def _read(call: Call) -> HttpResponse:
    """Who may read is asked before what: a stranger learns nothing but which addresses there are."""
    readings = matches(call.path)
    call.match = next(readings, None)
    if call.operation is None:
        raise refusals.NoSuchAddress
    if call.method not in ("GET", "HEAD"):
        raise refusals.OnlyReading
    caller = callers.identify(call)
    call.reader = caller.reader
    rate.take(rate.KEY, caller.reader.credential_id)
    allowance.judge(caller, call.now)
    for match in chain((call.match,), readings):
        call.match = match
        caller.judge(call.operation)
        # An id with slashes reads like a longer path: where one reading finds nothing, the next may.
        with contextlib.suppress(NotVisible):
            return _found(call, call.operation, caller.reader)
    raise NotVisible


def _found(call: Call, operation: Operation, reader: Reader) -> HttpResponse:
    """The answer to one reading of the path. Raises NotVisible, BadQuery."""
    assert call.match
    if any("\0" in text for text in call.match.ids):
        raise NotVisible
    call.question = parse(operation, call.match.ids, call.query, unseen_by(reader, operation))
    located = pages.locate(reader, call.question, call.now)
    call.publication = located.publication
    if envelope.is_known(call, located):
        return envelope.not_modified(call, located)
    records, call.records = pages.read(located, envelope.base(call))
    return envelope.page(call, located, records)
