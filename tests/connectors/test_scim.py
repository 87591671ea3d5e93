"""SCIM as a target, against a SCIM server that others wrote: the conformance kit, and what only SCIM brings with it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from scim2_models import ScimProvider
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage

from rollbook.connectors.contract import BadSetting, CannotFetch
from rollbook.connectors.scim import SCIM
from rollbook.connectors.scim.target import ScimTarget
from rollbook.connectors.scim.wire import ServerRefuses
from rollbook.engine.sync.conformance import CHECKS, Check
from rollbook.engine.sync.operations import (
    ARCHIVE,
    CREATE,
    DONE,
    GROUPS,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    NOOP,
    REJECT,
    RETRY,
    UPDATE,
    Operation,
)
from rollbook.engine.sync.policy import Grace, Policy
from rollbook.engine.sync.trial import Trial
from tests.connectors.scim_server import keeping, plain, running
from tests.engine.sync.desk import Desk, renamed, riverbend, without

SECRETS = {"token": "a token"}
Wrap = Callable[[Any], Any]


def a_target(
    provider: ScimProvider | None = None, storage: InMemoryStorage | None = None, wrap: Wrap = lambda app: app
) -> ScimTarget:
    app = WSGIApplication(storage or InMemoryStorage(), provider or keeping())
    return ScimTarget(
        {"url": "http://scim.example/v2", "page_size": 3},
        SECRETS,
        httpx2.WSGITransport(app=wrap(app)),
        sleep=lambda seconds: None,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_scim_server_keeps(check: Check):
    check.run(a_target)


PLAIN = {"tells-back", "comes-back", "not-offered", "memberships", "twice"}


@pytest.mark.parametrize("check", [one for one in CHECKS if one.name in PLAIN], ids=lambda check: check.name)
def test_a_server_without_our_extension_keeps(check: Check):
    check.run(lambda: a_target(plain()))


def furnished(**how: Any) -> Trial:
    trial = Trial(a_target(**how))
    assert {one.status for one in trial.send(trial.sample())} == {DONE}
    return trial


def test_what_the_server_keeps_besides_is_handed_back_as_it_came():
    storage = InMemoryStorage()
    trial = furnished(storage=storage)
    server = httpx2.Client(
        transport=httpx2.WSGITransport(app=WSGIApplication(storage, keeping())),
        base_url="http://scim.example/v2",
    )
    path = f"/Users/{trial.ids[MEMBERS, 'p1']}"
    raw = server.get(path).json()
    raw |= {"nickName": "Annie", "emails": [{"value": "home@x.example", "type": "home"}, *raw["emails"]]}
    raw["name"]["middleName"] = "M."
    assert server.put(path, json=raw).status_code == 200
    told = trial.update(MEMBERS, "p1", {"given_name": "Anna", "email": "anna@school.example"})
    assert trial.send([told])[0].status == DONE
    after = server.get(path).json()
    assert (after["nickName"], after["name"]["middleName"], after["name"]["givenName"]) == (
        "Annie",
        "M.",
        "Anna",
    )
    assert [one["value"] for one in after["emails"]] == ["home@x.example", "anna@school.example"]


def test_who_has_no_username_gets_one_that_says_so_and_is_told_without():
    trial = Trial(a_target())
    trial.send([trial.create(MEMBERS, "p1", {"given_name": "Ana", "family_name": "Silva"})])
    assert trial.record(MEMBERS, "p1").fields["username"] == ""


def test_a_user_who_was_there_is_adopted_and_one_who_was_adopted_is_not_again():
    storage = InMemoryStorage()
    trial = furnished(storage=storage)
    server = httpx2.Client(
        transport=httpx2.WSGITransport(app=WSGIApplication(storage, keeping())),
        base_url="http://scim.example/v2",
    )
    made = server.post(
        "/Users", json={"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "old"}
    )
    number = made.json()["id"]
    assert not next(trial.target.verify(MEMBERS, [number])).managed
    link = Operation(1, LINK, MEMBERS, "u9", number)
    assert [one.status for one in trial.target.apply([link, link])] == [DONE, NOOP]
    found = next(trial.target.verify(MEMBERS, [number]))
    assert (found.key, found.managed) == ("u9", True)


def test_a_group_that_cannot_be_archived_is_not():
    trial = furnished(provider=plain())
    (outcome,) = trial.send([trial.archive(GROUPS, "c1")])
    assert (outcome.status, outcome.code) == (REJECT, "not-supported")
    assert len(trial.records(MEMBERSHIPS)) == 4


def test_somebody_who_writes_a_group_meanwhile_is_heard():
    storage = InMemoryStorage()
    interrupted: list[bool] = []

    def wrap(app: Any) -> Any:
        def between(environ: dict[str, Any], start: Any) -> Any:
            if (
                environ["REQUEST_METHOD"] == "PUT"
                and "/Groups/" in environ["PATH_INFO"]
                and len(interrupted) == 1
            ):
                interrupted.append(True)
                other = Trial(a_target(storage=storage))
                other.ids = dict(trial.ids)
                other.send([other.create(MEMBERSHIPS, "c2/t1", {})])
            return app(environ, start)

        return between

    trial = furnished(storage=storage, wrap=wrap)
    interrupted.append(True)
    (outcome,) = trial.send([trial.create(MEMBERSHIPS, "c2/p2", {})])
    assert (outcome.status, len(interrupted)) == (DONE, 2)
    people = {
        one.fields["member"]
        for one in trial.records(MEMBERSHIPS)
        if one.fields["group"] == trial.ids[GROUPS, "c2"]
    }
    assert people == {trial.ids[MEMBERS, one] for one in ("p1", "p2", "t1")}


def failing(status: str, when: Callable[[dict[str, Any]], bool], *headers: tuple[str, str]) -> Wrap:
    """A server that answers so to some requests."""

    def wrap(app: Any) -> Any:
        def answer(environ: dict[str, Any], start: Any) -> Any:
            if when(environ):
                start(status, [("Content-Type", "application/scim+json"), *headers])
                return [
                    json.dumps({"detail": "Ana Silva is not wanted", "scimType": "invalidValue"}).encode()
                ]
            return app(environ, start)

        return answer

    return wrap


def test_a_server_that_asks_for_patience_is_told_so_and_one_that_refuses_says_nothing_of_anybody():
    busy = a_target(
        wrap=failing("429 Busy", lambda environ: environ["REQUEST_METHOD"] == "POST", ("Retry-After", "7"))
    )
    told = Operation(1, CREATE, MEMBERS, "u1", "", after={"given_name": "Ana", "username": "ana"}, id="1-1")
    (outcome,) = busy.apply([told])
    assert (outcome.status, outcome.wait) == (RETRY, 7.0)
    unwilling = a_target(wrap=failing("400 No", lambda environ: environ["REQUEST_METHOD"] == "POST"))
    (outcome,) = unwilling.apply([told])
    assert (outcome.status, outcome.code) == (REJECT, "not-taken")
    assert outcome.words == "The server answered 400 (invalidValue)."


def test_a_server_that_gives_fewer_than_it_says_it_has_is_not_believed():
    def short(app: Any) -> Any:
        def answer(environ: dict[str, Any], start: Any) -> Any:
            body = b"".join(app(environ, start))
            if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("/Users"):
                told = json.loads(body)
                told["Resources"] = (
                    told.get("Resources", [])[:1] if "startIndex=1" in environ["QUERY_STRING"] else []
                )
                body = json.dumps(told).encode()
            return [body]

        return answer

    storage = InMemoryStorage()
    furnished(storage=storage)
    with pytest.raises(CannotFetch) as refusal:
        list(a_target(storage=storage, wrap=short).scan(MEMBERS))
    assert "says that it has 4" in refusal.value.words


def test_a_server_that_is_away_for_a_moment_is_asked_again_and_then_given_up():
    away: list[bool] = []
    wrap = failing("503 Away", lambda environ: bool(away) and away.pop())
    storage = InMemoryStorage()
    furnished(storage=storage)
    target = a_target(storage=storage, wrap=wrap)
    away += [True] * 3
    assert len(list(target.scan(MEMBERS))) == 4
    away += [True] * 50
    with pytest.raises(CannotFetch) as refusal:
        list(target.scan(MEMBERS))
    assert "was asked 5 times" in refusal.value.words


@pytest.mark.parametrize("provider", [keeping, plain])
def test_a_roster_is_synced_to_it_and_the_same_roster_again_is_nothing_to_do(
    provider: Callable[[], ScimProvider],
):
    at_once = Grace(reads=1, students=0, staff=0, classes=0)
    desk = Desk(Policy(grace=at_once), a_target(provider()))  # type: ignore[arg-type]  # any target
    desk.sync(riverbend(), first=True)
    later = without(renamed(riverbend(), "dot", family_name="Moss"), "eli", "choir")
    plans = [desk.sync(roster).counts for roster in (riverbend(), later, later, riverbend(), riverbend())]
    counts = [sum(sum(of_kind.values()) for of_kind in plan.values()) for plan in plans]
    groups = 1 if provider is keeping else 0  # only there a class that is gone can be archived, and come back
    assert counts == [0, 2 + groups, 0, 2 + groups, 0]
    assert (len(list(desk.target.scan(MEMBERS))), len(list(desk.target.scan(MEMBERSHIPS)))) == (7, 9)


@pytest.fixture
def server() -> Iterator[str]:
    with running() as address:
        yield address


def test_over_the_network_with_a_token_of_its_own(server: str):
    settings, secrets = SCIM.checked({"url": server + "/"}, {"token": " a token "})
    trial = Trial(ScimTarget(settings, secrets))
    assert {one.status for one in trial.send(trial.sample())} == {DONE}
    assert trial.send([trial.update(MEMBERS, "p1", {"given_name": "Zoë"})])[0].status == DONE
    assert SCIM.tested(settings, secrets)[0] == "The server answers: 4 users, 2 groups."
    with pytest.raises(ServerRefuses) as refusal:
        SCIM.tested(settings, {"token": "another"})
    assert "401" in refusal.value.words


def test_an_address_and_a_token_are_asked_for():
    for settings, secrets in (
        ({"url": "http://app.example/scim"}, SECRETS),
        ({"url": "https://app.example/scim"}, {}),
        ({"url": "https://app.example/scim", "page_size": "0"}, SECRETS),
    ):
        with pytest.raises(BadSetting):
            SCIM.checked(settings, secrets)


def test_operations_that_no_server_knows_are_rejected():
    trial = furnished()
    sites = Operation(1, CREATE, "sites", "s1", "", after={"name": "High"}, id="1-1")
    membership = Operation(2, UPDATE, MEMBERSHIPS, "e1", trial.ids[MEMBERSHIPS, "c1/p1"], id="1-2")
    assert {one.code for one in trial.target.apply([sites, membership])} == {"not-supported"}
    assert ARCHIVE in trial.can.actions
