"""A server that fails in the middle of a night: nothing is deleted, and the run does not call itself a success."""

from collections.abc import Callable
from typing import Any

import pytest

from rollbook.connectors.contract import CannotFetch
from rollbook.flows.completeness import certificate_of
from rollbook.flows.ingest import carry_out
from tests.connectors.nights import Night, a_first_night, deletions, first_night, lost_last_page
from tests.connectors.packages import modes_of
from tests.connectors.provider import Ask, Provider, Reply, at

__all__ = ["a_first_night", "first_night"]

Spoil = Callable[[Ask, Reply], Reply]


def _lying_total(number: int) -> Spoil:
    return lambda ask, reply: (
        Reply(200, reply.body, {"X-Total-Count": str(number)}) if ask.collection == "enrollments" else reply
    )


def _total_of_the_page(ask: Ask, reply: Reply) -> Reply:
    return Reply(200, reply.body, {"X-Total-Count": str(len(reply.body[ask.collection]))})


class Repeating:
    """Gives page 3 of the enrollments as page 2 once more."""

    def __init__(self) -> None:
        self.second: Any = None

    def __call__(self, ask: Ask, reply: Reply) -> Reply:
        if ask.collection == "enrollments" and ask.offset == 20:
            self.second = reply.body
        again = ask.collection == "enrollments" and ask.offset == 40
        return Reply(200, self.second, reply.headers) if again else reply


class Shuffling:
    """Puts the enrollments in another order between any two questions, so that pages overlap and leave out."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def __call__(self, ask: Ask, reply: Reply) -> Reply:
        every = self.provider.records["enrollments"]
        self.provider.records["enrollments"] = every[31:] + every[:31]
        return reply


def _ignoring_offsets(provider: Provider) -> Spoil:
    return lambda ask, reply: (
        Reply(200, {"enrollments": provider.records["enrollments"][: ask.limit]}, reply.headers)
        if ask.collection == "enrollments"
        else reply
    )


def _later(body: Any) -> Spoil:
    return at("enrollments", 3, then=lambda reply: Reply(200, body, reply.headers))


def _from_then_on(then: Callable[[Reply], Reply]) -> Spoil:
    return lambda ask, reply: then(reply) if ask.collection == "enrollments" and ask.number >= 3 else reply


FAULTS: dict[str, Callable[[Provider], Spoil]] = {
    "last page lost": lambda provider: lost_last_page,
    "a total too high": lambda provider: _lying_total(400),
    "a total too low": lambda provider: _lying_total(40),
    "a total that is the page's": lambda provider: _total_of_the_page,
    "200 with an empty object": lambda provider: _later({}),
    "200 with an empty object at once": lambda provider: at(
        "enrollments", 1, then=lambda reply: Reply(200, {})
    ),
    "200 with an error": lambda provider: _later(
        {"statusInfoSet": [{"imsx_codeMajor": "failure", "imsx_severity": "error"}], "enrollments": []}
    ),
    "200 with an error of 1.2": lambda provider: _later(
        {"imsx_codeMajor": "failure", "imsx_severity": "error"}
    ),
    "200 with a message": lambda provider: _later({"message": "Endpoint request timed out"}),
    "200 with a page of HTML": lambda provider: _later(b"<!doctype html><title>Sign in</title>"),
    "half an array": lambda provider: _later(b'{"enrollments": [{"sourcedId": "x"}'),
    "a list of something else": lambda provider: _later({"enrollments": ["x", None]}),
    "records without ids": lambda provider: _later({"enrollments": [{"role": "student"}] * 20}),
    "an empty collection": lambda provider: (
        lambda ask, reply: (
            Reply(200, {"enrollments": []}, {"X-Total-Count": "0"})
            if ask.collection == "enrollments"
            else reply
        )
    ),
    "null for a collection": lambda provider: (
        lambda ask, reply: Reply(200, {"enrollments": None}) if ask.collection == "enrollments" else reply
    ),
    "a page repeated": lambda provider: Repeating(),
    "pages in another order each time": Shuffling,
    "the first page again and again": _ignoring_offsets,
    "a cut connection, for good": lambda provider: _from_then_on(
        lambda reply: Reply(200, reply.body, reply.headers, cut=True)
    ),
    "a storm of 429": lambda provider: _from_then_on(lambda reply: Reply(429, {}, {"Retry-After": "0"})),
    "500, for good": lambda provider: _from_then_on(lambda reply: Reply(500, {})),
    "400 in the middle": lambda provider: _from_then_on(lambda reply: Reply(400, {"error": "invalid_data"})),
    "404 in the middle": lambda provider: _from_then_on(lambda reply: Reply(404, {})),
    "no longer permitted": lambda provider: _from_then_on(lambda reply: Reply(403, {})),
    "no longer signed in": lambda provider: _from_then_on(lambda reply: Reply(401, {})),
    "not offered any more": lambda provider: at("enrollments", 1, then=lambda reply: Reply(404, {})),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_after_a_fault_nothing_is_deleted_and_the_run_is_no_success(
    fault: Callable[[Provider], Spoil], night: Night
):
    night.provider.spoil = fault(night.provider)
    prepared = night.prepared()
    assert deletions(prepared) == 0
    run = carry_out(prepared)
    assert run.outcome == "incomplete"
    assert "enrollments (" in run.message
    certificate = certificate_of(run)
    assert certificate is not None
    enrollments = certificate["collections"]["enrollments"]
    assert not certificate["complete"]
    assert not enrollments["complete"]
    assert enrollments["why"]
    assert "bulk" not in {
        mode
        for file, mode in modes_of(night.package).items()
        if file in ("orgs", "classes", "users", "enrollments")
    }


@pytest.mark.parametrize(
    "collection", ["orgs", "academicSessions", "courses", "classes", "users", "demographics"]
)
@pytest.mark.parametrize("fault", [{}, b"<html>"], ids=str)
def test_a_fault_in_any_collection_deletes_nothing(collection: str, fault: Any, night: Night):
    night.provider.spoil = at(collection, 1, then=lambda reply: Reply(200, fault))
    prepared = night.prepared()
    assert deletions(prepared) == 0
    assert carry_out(prepared).outcome == "incomplete"


def test_a_cap_on_pages_alone_is_no_fault(night: Night):
    night.provider.cap, night.provider.totals, night.provider.links = 11, "", ""
    assert night.over().outcome == "success"


def test_a_night_without_an_answer_is_refused_in_words(night: Night):
    night.provider.spoil = lambda ask, reply: Reply(503, {})
    with pytest.raises(CannotFetch) as refused:
        night.prepared()
    # Once more for each time that it was asked for less.
    assert "asked 8 times; the last time it answered 503." in refused.value.words
    assert not refused.value.words.endswith("..")


def test_a_server_that_is_not_there_is_refused_in_words(night: Night):
    night.connection.settings |= {"url": "http://127.0.0.1:9"}
    with pytest.raises(CannotFetch) as refused:
        night.prepared()
    assert "nothing answers there" in refused.value.words
