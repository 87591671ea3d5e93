"""Where a server leaves in doubt what it means: what comes of each doubt, and that nothing is taken for gone by it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollbook.connectors.contract import CannotFetch
from rollbook.connectors.oneroster_rest.pull import ONEROSTER_REST
from rollbook.oneroster.operations import BASES
from tests.connectors.packages import modes_of, rows_of
from tests.connectors.provider import CLIENT, SECRET, STATIC, Ask, Provider, Reply, at, pages_asked, serving

OAUTH2 = {"sign_in": "oauth2", "client_id": CLIENT}
USERS = 66


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider()) as provider:
        yield provider


def looked(provider: Provider, **settings: Any) -> list[str]:
    secrets = {"token": STATIC, "client_secret": SECRET}
    assert ONEROSTER_REST.tested
    return ONEROSTER_REST.tested({**provider.settings, **settings}, secrets)


# --- Pages that are empty ---


def with_a_hole(reply: Reply) -> Reply:
    """The third page of twenty is empty, and names the next one."""
    return Reply(200, {"users": []}, reply.headers)


def test_an_empty_page_that_names_a_next_one_is_not_the_end(tmp_path: Path):
    with serving(Provider(totals="")) as provider:
        provider.spoil = at("users", 3, then=with_a_hole)
        fetched = provider.pulled(tmp_path)
    users = fetched.certificate["collections"]["users"]
    assert users["values"]["records"] == USERS - 20
    assert not users["complete"]
    assert modes_of(fetched.path)["users"] == "delta"
    assert "users: empty pages before the end" in fetched.certificate["quirks"]


def test_where_all_that_was_announced_came_an_empty_page_before_the_end_is_no_matter(
    provider: Provider, tmp_path: Path
):
    def stuttering(ask: Ask, reply: Reply) -> Reply:
        """An empty page, whose next one has what should have been on it."""
        if ask.collection == "users" and ask.number == 3:
            link = f'<{provider.settings["url"]}/users?limit=20&offset=40&again=1>; rel="next"'
            return Reply(200, {"users": []}, {"Link": link, "X-Total-Count": str(USERS)})
        return reply

    provider.spoil = stuttering
    fetched = provider.pulled(tmp_path)
    assert len(rows_of(fetched.path)["users"]) == USERS
    assert fetched.certificate["collections"]["users"]["complete"]


def test_empty_pages_that_name_a_next_one_for_ever_prove_nothing(tmp_path: Path):
    with serving(Provider(totals="")) as provider:

        def leading_on(ask: Ask, reply: Reply) -> Reply:
            if ask.collection != "users" or reply.body["users"]:
                return reply
            link = f'<{provider.settings["url"]}/users?limit=20&offset={ask.offset + 20}>; rel="next"'
            return Reply(200, reply.body, {"Link": link})

        provider.spoil = leading_on
        fetched = provider.pulled(tmp_path)
        asked = sum(ask.collection == "users" for ask in provider.asked)
    users = fetched.certificate["collections"]["users"]
    assert users["values"]["records"] == USERS
    assert not users["complete"]
    assert "empty" in users["why"][0]
    assert asked < 12


def test_a_null_in_the_middle_is_asked_for_once_more(tmp_path: Path):
    with serving(Provider(totals="", links="")) as provider:
        provider.spoil = at("users", 3, then=lambda reply: Reply(200, {"users": None}))
        fetched = provider.pulled(tmp_path)
    assert len(rows_of(fetched.path)["users"]) == USERS
    assert fetched.certificate["collections"]["users"]["complete"]


def test_a_server_that_says_null_behind_its_end_has_been_read_whole(tmp_path: Path):
    with serving(Provider(totals="", links="")) as provider:
        provider.spoil = lambda ask, reply: (
            reply if reply.body[ask.collection] else Reply(200, {ask.collection: None})
        )
        fetched = provider.pulled(tmp_path)
    assert fetched.certificate["complete"]


# --- Which version it is ---


def host_alone(provider: Provider, scopes_of: str) -> dict[str, Any]:
    """Settings with nothing but a host, at a server that gives tokens for scopes of one version only."""
    provider.token = lambda form, headers: (
        None if scopes_of in form.get("scope", "") else Reply(400, {"error": "invalid_scope"})
    )
    return {"url": provider.address, **OAUTH2, "token_url": f"{provider.address}/token"}


def test_where_no_token_is_given_for_1_2_it_may_be_1_1(provider: Provider, tmp_path: Path):
    fetched = provider.pulled(tmp_path, **host_alone(provider, "/v1p1/"))
    assert (fetched.certificate["version"], fetched.certificate["complete"]) == ("1.1", True)


def test_where_all_unknown_places_are_forbidden_it_may_be_1_1(provider: Provider, tmp_path: Path):
    known = BASES["1.1", "rostering"]
    answer = provider.reply
    provider.reply = lambda method, target, headers, form: (  # type: ignore[method-assign]
        answer(method, target, headers, form)
        if target.startswith(known)
        else Reply(403, {"message": "Forbidden"})
    )
    assert provider.pulled(tmp_path, url=provider.address).certificate["version"] == "1.1"


def test_where_no_version_takes_the_sign_in_the_newer_ones_answer_is_told(provider: Provider, tmp_path: Path):
    with pytest.raises(CannotFetch) as refused:
        provider.pulled(tmp_path, **host_alone(provider, "/v9/"))
    assert "invalid_scope" in refused.value.words


# --- Signing in ---


def test_where_demographics_are_not_granted_enrollments_are_read(provider: Provider, tmp_path: Path):
    provider.token = lambda form, headers: (
        Reply(400, {"error": "invalid_scope"}) if "demographics" in form.get("scope", "") else None
    )
    provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token")
    assert [scope.rpartition("/")[2] for scope in provider.tokens[-1]["scope"].split()] == [
        "roster-core.readonly",
        "roster.readonly",
    ]


def test_credentials_in_the_query_come_along_where_the_token_address_redirects(
    provider: Provider, tmp_path: Path
):
    provider.token = lambda form, headers: (
        Reply(307, {}, {"Location": "/token/?client_id=old&kept=yes"}) if len(provider.tokens) == 1 else None
    )
    fetched = provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token", credentials="query")
    assert fetched.certificate["complete"]
    assert provider.tokens[1]["kept"] == "yes"
    assert provider.tokens[1]["client_id"] == CLIENT


def test_a_server_that_compares_client_and_secret_as_they_were_given_out_is_signed_in_to(
    provider: Provider, tmp_path: Path
):
    plain = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    provider.token = lambda form, headers: (
        None if headers["authorization"] == plain else Reply(401, {"error": "invalid_client"})
    )
    assert provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token").certificate["complete"]


# --- Asking for less, and looking ---


def test_a_server_that_bears_few_records_only_is_asked_for_few(provider: Provider, tmp_path: Path):
    provider.spoil = lambda ask, reply: Reply(503, {}) if ask.limit > 15 else reply
    fetched = provider.pulled(tmp_path, page_size="2000")
    assert fetched.certificate["complete"]
    assert fetched.certificate["collections"]["users"]["values"]["smallest_limit"] == 15


def test_a_test_waits_for_nobody_and_tells_of_each_collection(provider: Provider):
    provider.spoil = lambda ask, reply: (
        reply if ask.collection == "orgs" else Reply(429, {}, {"Retry-After": "120"})
    )
    lines = looked(provider)
    assert pages_asked(provider)["users"] == 1
    assert "orgs: 4 records." in lines
    assert "users: the server asks to be left alone for 120 seconds (429)." in lines


def test_a_test_goes_on_behind_a_collection_that_fails(provider: Provider):
    provider.spoil = lambda ask, reply: Reply(503, {}) if ask.collection == "users" else reply
    lines = looked(provider)
    assert any(line.startswith("users: ") and "503" in line for line in lines)
    assert any(line.startswith("enrollments: ") and "records" in line for line in lines)


# --- Records that move while they are read ---


def leaving(provider: Provider, times: int, arrives: bool) -> None:
    """When the third page of people was given, one of the second leaves, and somebody new comes at the end; so many times."""
    left: list[str] = []

    def spoil(ask: Ask, reply: Reply) -> Reply:
        people = provider.records["users"]
        if ask.collection == "users" and ask.limit == 20 and ask.offset == 40 and len(left) < times:
            left.append(people.pop(25)["sourcedId"])
            if arrives:
                people.append({**people[-1], "sourcedId": f"new-{len(left)}"})
        return reply

    provider.spoil = spoil


@pytest.mark.parametrize(
    ("totals", "arrives"),
    [("X-Total-Count", True), ("", True), ("", False)],
    ids=["total stays", "no total", "only leaves"],
)
def test_a_record_that_slips_through_between_two_pages_is_noticed_and_all_is_read_again(
    totals: str, arrives: bool, tmp_path: Path
):
    with serving(Provider(totals=totals)) as provider:
        leaving(provider, 1, arrives)
        fetched = provider.pulled(tmp_path)
        there = [one["sourcedId"] for one in provider.records["users"]]
    users = fetched.certificate["collections"]["users"]
    assert users["values"]["attempts"] == 2
    assert users["complete"]
    assert set(rows_of(fetched.path)["users"]) == set(there)


def test_a_collection_that_never_stands_still_is_not_complete(tmp_path: Path):
    with serving(Provider()) as provider:
        leaving(provider, 100, arrives=True)
        fetched = provider.pulled(tmp_path)
    users = fetched.certificate["collections"]["users"]
    assert (users["facts"]["stable"], users["values"]["places_again"]) == (False, False)
    assert modes_of(fetched.path)["users"] == "delta"


def test_one_more_question_is_asked_for_each_page_between_and_one_to_know_whether_it_can_be(
    provider: Provider, tmp_path: Path
):
    provider.pulled(tmp_path)
    singles = [ask.offset for ask in provider.asked if ask.collection == "users" and ask.limit == 1]
    assert singles == [19, 39, 59]
    assert not [ask for ask in provider.asked if ask.collection == "orgs" and ask.limit == 1]


def test_a_server_that_rounds_places_to_whole_pages_is_not_asked_for_single_ones(tmp_path: Path):
    def rounded(ask: Ask, reply: Reply) -> Reply:
        if ask.collection == "users" and ask.limit == 1:
            return Reply(200, {"users": provider.records["users"][:1]}, reply.headers)
        return reply

    with serving(Provider()) as provider:
        provider.spoil = rounded
        fetched = provider.pulled(tmp_path)
        singles = [ask for ask in provider.asked if ask.collection == "users" and ask.limit == 1]
    assert len(singles) == 1
    assert fetched.certificate["collections"]["users"]["complete"]
    assert "users: gives no single records by their place" in fetched.certificate["quirks"]
