"""What servers do differently, each at a provider that does it: the package is the same as from one that does not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rollbook.connectors.contract import BadSetting, CannotFetch
from tests.connectors.packages import Rows, modes_of, rows_of
from tests.connectors.provider import (
    CLIENT,
    SECRET,
    STATIC,
    Ask,
    Provider,
    Reply,
    at,
    loosely,
    pages_asked,
    serving,
)

OAUTH2 = {"sign_in": "oauth2", "client_id": CLIENT}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """The package of a server without habits, by version."""
    found = {}
    for version in ("1.1", "1.2"):
        with serving(Provider(version)) as provider:
            found[version] = rows_of(provider.pulled(tmp_path_factory.mktemp("plain")).path)
    return found


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider()) as provider:
        yield provider


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_plain_server_is_read_whole_and_proved_complete(
    version: str, plain: dict[str, Rows], tmp_path: Path
):
    with serving(Provider(version)) as provider:
        fetched = provider.pulled(tmp_path)
    assert fetched.certificate is not None
    assert fetched.certificate["complete"]
    assert fetched.notes == ()
    assert set(modes_of(fetched.path).values()) == {"bulk"}
    users = fetched.certificate["collections"]["users"]
    assert users["values"]["records"] == len(plain[version]["users"]) == 66
    assert users["facts"] == {
        "offered": True, "permitted": True, "envelope": True, "pages_complete": True, "totals_agree": True,
        "no_id_twice": True, "every_record_named": True, "stable": True, "not_suddenly_empty": True,
    }  # fmt: skip


PAGING: dict[str, dict[str, Any]] = {
    "a cap below the limit asked for": {"cap": 7},
    "no totals": {"totals": ""},
    "no totals and a cap": {"totals": "", "cap": 7},
    "totals in the body": {"totals": "body"},
    "totals under another name": {"totals": "x-count"},
    "no links": {"links": ""},
    "relative links": {"links": "relative"},
    "links to another host": {"links": "elsewhere"},
    "nothing but pages": {"totals": "", "links": "", "cap": 9},
    "a prefix in front of the path": {"prefix": "/campus/api"},
}


@pytest.mark.parametrize("habits", PAGING.values(), ids=PAGING)
def test_pages_are_walked_to_their_end(habits: dict[str, Any], plain: dict[str, Rows], tmp_path: Path):
    with serving(Provider(**habits)) as provider:
        fetched = provider.pulled(tmp_path)
    assert rows_of(fetched.path) == plain["1.1"]
    assert fetched.certificate is not None
    assert fetched.certificate["complete"], fetched.notes


def test_no_other_host_is_ever_asked(tmp_path: Path):
    with serving(Provider(links="elsewhere")) as provider:
        fetched = provider.pulled(tmp_path)
    assert "users: links to another host" in fetched.certificate["quirks"]


def _each(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Ask, Reply], Reply]:
    """A habit of all records of all collections."""

    def spoil(ask: Ask, reply: Reply) -> Reply:
        [key] = [key for key in reply.body if key != "totalCount"]
        return Reply(
            reply.status, {**reply.body, key: [change(record) for record in reply.body[key]]}, reply.headers
        )

    return spoil


def _words(record: dict[str, Any]) -> dict[str, Any]:
    loose = {name: loosely(record[name]) for name in ("type", "classType", "role", "sex") if name in record}
    return {**record, **loose}


RECORDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "nulls and empty things": lambda record: {
        "location": None, "middleName": "", "agents": [], "metadata": {}, "sms": "null", **record,
    },
    "spaces around text": lambda record: {
        name: f" {value} " if isinstance(value, str) and name != "sourcedId" else value
        for name, value in record.items()
    },
    "booleans that are none": lambda record: {
        name: {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
        for name, value in record.items()
    },
    "booleans with a capital": lambda record: {
        name: value.title() if value in ("true", "false") else value for name, value in record.items()
    },
    "vocabularies in other letters": _words,
    "references as bare ids": lambda record: {
        name: value["sourcedId"] if isinstance(value, dict) and "sourcedId" in value else value
        for name, value in record.items()
    },
    "references without href and type": lambda record: {
        name: {"sourcedId": value["sourcedId"], "href": ""} if isinstance(value, dict) and "href" in value else value
        for name, value in record.items()
    },
    "no status and no moment": lambda record: {
        name: value for name, value in record.items() if name not in ("status", "dateLastModified")
    },
    "a moment without a zone": lambda record: {**record, "dateLastModified": "2026-11-19T12:00:00"},
    "lists as text": lambda record: {
        name: ",".join(value) if name in ("grades", "subjects", "periods") else value for name, value in record.items()
    },
    "dates with a time": lambda record: {
        name: f"{value}T00:00:00" if name in ("startDate", "endDate", "birthDate") else value
        for name, value in record.items()
    },
    "parents told by children only": lambda record: {
        name: value for name, value in record.items() if name != "parent"
    },
}  # fmt: skip


@pytest.mark.parametrize("change", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_records_are_read_as_they_were_meant(
    version: str, change: Callable[[dict[str, Any]], dict[str, Any]], plain: dict[str, Rows], tmp_path: Path
):
    with serving(Provider(version, spoil=_each(change))) as provider:
        fetched = provider.pulled(tmp_path)
    assert rows_of(fetched.path) == plain[version]
    assert fetched.certificate is not None
    assert fetched.certificate["complete"]


def test_in_1_1_a_grade_in_words_or_one_digit_is_the_same_grade(
    provider: Provider, plain: dict[str, Rows], tmp_path: Path
):
    for place, record in enumerate([*provider.records["users"], *provider.records["classes"]]):
        if grades := record.pop("grades", None):
            told = [one.lstrip("0") if place % 2 else f"Grade {one}" for one in grades]
            record |= {"grade": told[0]} if len(told) == 1 else {"grades": told}
    rows = rows_of(provider.pulled(tmp_path).path)
    assert (rows["users"], rows["classes"]) == (plain["1.1"]["users"], plain["1.1"]["classes"])


WRAPPERS = [
    {"orgs": "schools"}, {"users": "students"}, {"academicSessions": "terms"}, {"demographics": "demographic"}, {"classes": "class"},
]  # fmt: skip


@pytest.mark.parametrize("wrapper", WRAPPERS, ids=str)
def test_another_wrapper_is_known(wrapper: dict[str, str], plain: dict[str, Rows], tmp_path: Path):
    with serving(Provider(wrapper=wrapper)) as provider:
        assert rows_of(provider.pulled(tmp_path).path) == plain["1.1"]


def test_a_bare_array_and_a_type_that_is_not_json_are_read(plain: dict[str, Rows], tmp_path: Path):
    def spoil(ask: Ask, reply: Reply) -> Reply:
        return Reply(200, reply.body[ask.collection], {**reply.headers, "Content-Type": "text/plain"})

    with serving(Provider(spoil=spoil)) as provider:
        assert rows_of(provider.pulled(tmp_path).path) == plain["1.1"]


def test_a_single_object_is_a_list_of_one(provider: Provider, tmp_path: Path):
    provider.records["courses"] = provider.records["courses"][:1]
    provider.spoil = lambda ask, reply: (
        Reply(200, {"courses": reply.body["courses"][0]}, reply.headers)
        if ask.collection == "courses" and reply.body["courses"]
        else reply
    )
    assert len(rows_of(provider.pulled(tmp_path).path)["courses"]) == 1


def test_a_1_2_user_who_comes_with_a_role_and_orgs_of_1_1_has_roles(tmp_path: Path):
    with serving(Provider("1.2")) as provider:
        for user in provider.records["users"]:
            roles = user.pop("roles")
            user |= {"role": "administrator" if "rincipal" in roles[0]["role"] else "student"}
            user["orgs"] = [role["org"] for role in roles]
        rows = rows_of(provider.pulled(tmp_path).path)
    amara = [row for row in rows["roles"].values() if row["userSourcedId"] == "student-001"]
    assert [(row["role"], row["orgSourcedId"], row["roleType"]) for row in amara] == [
        ("student", "org-high", "primary")
    ]
    principal = [row for row in rows["roles"].values() if row["userSourcedId"] == "staff-002"]
    assert principal[0]["role"] == "siteAdministrator"


def test_a_1_1_user_who_comes_with_roles_of_1_2_has_a_role_and_orgs(
    provider: Provider, plain: dict[str, Rows], tmp_path: Path
):
    for user in provider.records["users"]:
        orgs = user.pop("orgs")
        user["roles"] = [{"role": user["role"], "roleType": "primary", "org": org} for org in orgs]
        if user["role"] != "administrator":
            del user["role"]
    assert rows_of(provider.pulled(tmp_path).path)["users"] == plain["1.1"]["users"]


def test_roles_that_come_twice_are_one_and_where_none_is_primary_the_first_that_holds_is(tmp_path: Path):
    with serving(Provider("1.2")) as provider:
        amara = next(user for user in provider.records["users"] if user["sourcedId"] == "student-001")
        role = {"role": "student", "org": {"sourcedId": "org-high"}}
        over = {"role": "student", "org": {"sourcedId": "org-middle"}, "endDate": "2026-06-30"}
        amara["roles"] = [over, role, role]
        rows = rows_of(provider.pulled(tmp_path).path)["roles"].values()
    found = {row["orgSourcedId"]: row["roleType"] for row in rows if row["userSourcedId"] == "student-001"}
    assert found == {"org-middle": "secondary", "org-high": "primary"}


def test_ids_with_letters_a_package_cannot_write_stay_different_and_keep_their_references(
    provider: Provider, tmp_path: Path
):
    for record in [*provider.records["users"], *provider.records["demographics"]]:
        record["sourcedId"] = record["sourcedId"].replace("student-001", "stu dent{1}")
    for enrollment in provider.records["enrollments"]:
        if enrollment["user"]["sourcedId"] == "student-001":
            enrollment["user"]["sourcedId"] = "stu dent{1}"
    rows = rows_of(provider.pulled(tmp_path).path)
    assert "stu@20dent@7B1@7D" in rows["users"]
    assert any(row["userSourcedId"] == "stu@20dent@7B1@7D" for row in rows["enrollments"].values())


def test_numbers_are_ids_too(provider: Provider, tmp_path: Path):
    provider.records["courses"][0]["sourcedId"] = 4711
    assert "4711" in rows_of(provider.pulled(tmp_path).path)["courses"]


def test_deletions_the_server_tells_of_are_told_where_the_package_is_a_delta(
    provider: Provider, tmp_path: Path
):
    provider.records["users"][0] = {"sourcedId": "guardian-001", "status": "ToBeDeleted"}
    provider.missing["enrollments"] = 500
    fetched = provider.pulled(tmp_path)
    gone = rows_of(fetched.path)["users"]["guardian-001"]
    assert (modes_of(fetched.path)["users"], gone["status"]) == ("delta", "tobedeleted")


# --- What goes wrong and passes ---


PASSING: dict[str, Callable[[Reply], Reply]] = {
    "429 with seconds": lambda reply: Reply(429, {}, {"Retry-After": "0"}),
    "429 with a date": lambda reply: Reply(429, {}, {"Retry-After": "Fri, 20 Nov 2026 03:00:00 GMT"}),
    "503 with nothing": lambda reply: Reply(503, b"<html>busy</html>"),
    "502 from a proxy": lambda reply: Reply(502, b"<html>bad gateway</html>"),
    "a cut connection": lambda reply: Reply(200, reply.body, reply.headers, cut=True),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_for_and_the_page_asked_again(
    trouble: Callable[[Reply], Reply], provider: Provider, plain: dict[str, Rows], tmp_path: Path
):
    provider.spoil = at("users", 2, 3, then=trouble)
    fetched = provider.pulled(tmp_path)
    assert rows_of(fetched.path) == plain["1.1"]
    assert fetched.certificate is not None
    assert fetched.certificate["complete"]
    offsets = [ask.offset for ask in provider.asked if ask.collection == "users"]
    assert offsets[1] == offsets[2] == offsets[3] == 20


def test_an_overloaded_server_is_asked_for_less_and_keeps_being(
    provider: Provider, plain: dict[str, Rows], tmp_path: Path
):
    provider.spoil = lambda ask, reply: Reply(500, {}) if ask.limit > 12 else reply
    fetched = provider.pulled(tmp_path, page_size="50")
    assert rows_of(fetched.path) == plain["1.1"]
    assert fetched.certificate["collections"]["users"]["values"]["smallest_limit"] == 12


def test_a_server_that_refuses_what_lies_behind_its_end_has_been_read_whole(
    provider: Provider, plain: dict[str, Rows], tmp_path: Path
):
    provider.spoil = lambda ask, reply: (
        reply if reply.body[ask.collection] else Reply(400, {"error": "invalid_data"})
    )
    fetched = provider.pulled(tmp_path)
    assert rows_of(fetched.path) == plain["1.1"]
    assert fetched.certificate["complete"]


def test_a_collection_that_moves_is_read_again_from_its_beginning(provider: Provider, tmp_path: Path):
    def shrink(ask: Ask, reply: Reply) -> Reply:
        if ask.collection == "enrollments" and ask.number == 3:
            del provider.records["enrollments"][:5]
        return reply

    provider.spoil = shrink
    fetched = provider.pulled(tmp_path)
    enrollments = fetched.certificate["collections"]["enrollments"]
    assert (enrollments["values"]["attempts"], enrollments["complete"]) == (2, True)
    assert len(rows_of(fetched.path)["enrollments"]) == enrollments["values"]["records"] == 160


def test_what_is_not_offered_and_was_never_there_is_not_missed(provider: Provider, tmp_path: Path):
    provider.missing["demographics"] = 501
    fetched = provider.pulled(tmp_path)
    assert fetched.certificate["complete"]
    assert "demographics" not in modes_of(fetched.path)


# --- Signing in ---


@pytest.mark.parametrize("place", ["basic", "post", "query"])
def test_client_and_secret_go_where_the_server_wants_them(place: str, provider: Provider, tmp_path: Path):
    provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token?appName=x", credentials=place)
    query, form = provider.seen[0][0], provider.tokens[0]
    assert ("client_secret" in query) == (place == "query")
    assert ("authorization" in provider.seen[0][1]) == (place == "basic")
    assert form["grant_type"] == "client_credentials"
    assert "roster-core.readonly" in form["scope"]


def test_refused_scopes_are_asked_for_again_with_fewer_and_then_none(provider: Provider, tmp_path: Path):
    provider.token = lambda form, headers: (
        Reply(400, {"error": "invalid_scope"}) if form.get("scope") else None
    )
    fetched = provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token")
    assert [len(form.get("scope", "").split()) for form in provider.tokens] == [3, 2, 1, 0]
    assert fetched.certificate["complete"]


def test_a_token_that_runs_out_in_the_middle_is_renewed(
    provider: Provider, plain: dict[str, Rows], tmp_path: Path
):
    provider.token_lasts = 5
    fetched = provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token")
    assert rows_of(fetched.path) == plain["1.1"]
    assert fetched.certificate["complete"]
    assert len(provider.tokens) > 5


@pytest.mark.parametrize("expires_in", [None, "3600", 0, "soon", -1, 1e400])
def test_odd_lifetimes_of_tokens_are_no_trouble(expires_in: Any, provider: Provider, tmp_path: Path):
    provider.expires_in = expires_in
    provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token")
    assert len(provider.tokens) == 1


def test_cookies_of_the_token_answer_are_sent_on(provider: Provider, tmp_path: Path):
    provider.needs_cookie = True
    assert provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token").certificate["complete"]


def test_a_token_address_that_redirects_is_followed_to_the_same_host(provider: Provider, tmp_path: Path):
    provider.token = lambda form, headers: (
        Reply(307, {}, {"Location": "/token/"}) if len(provider.tokens) == 1 else None
    )
    assert provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token").certificate["complete"]


@pytest.mark.parametrize("place", ["basic", "post"])
def test_credentials_never_follow_a_redirect_to_another_host(place: str, provider: Provider, tmp_path: Path):
    with serving(Provider()) as thief:
        provider.token = lambda form, headers: Reply(307, {}, {"Location": f"{thief.address}/token"})
        with pytest.raises(CannotFetch) as refused:
            provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token", credentials=place)
        assert thief.seen == []
    assert SECRET not in refused.value.words
    assert "another host" in refused.value.words


def test_a_page_that_redirects_to_another_host_is_not_followed(provider: Provider, tmp_path: Path):
    with serving(Provider()) as thief:
        provider.spoil = lambda ask, reply: Reply(302, {}, {"Location": f"{thief.address}/x"})
        with pytest.raises(CannotFetch):
            provider.pulled(tmp_path)
        assert thief.seen == []


def test_a_wrong_secret_is_told_in_words_and_never_shown(provider: Provider, tmp_path: Path):
    with pytest.raises(CannotFetch) as refused:
        provider.pulled(
            tmp_path, sign_in="oauth2", client_id="somebody else", token_url=f"{provider.address}/token"
        )
    assert "invalid_client" in refused.value.words
    assert SECRET not in refused.value.words
    # Once as RFC 6749 writes it, once as it was given out.
    assert len(provider.tokens) == 2


# --- Bounds ---


def test_a_pull_that_asks_too_often_is_ended(provider: Provider, tmp_path: Path):
    with pytest.raises(CannotFetch) as refused:
        provider.pulled(tmp_path, most_requests=10)
    assert "10 requests" in refused.value.words
    assert sum(pages_asked(provider).values()) == 10


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example", "http://a.example", "https://me:pw@a.example", "https://", "https://a.example/?x=1",
        "https://a.example:99999", "https://a.example:abc", "https://a.example:0", "https://[oops", "https://a b.example",
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url: str, tmp_path: Path):
    with pytest.raises(BadSetting):
        Provider(port=1).pulled(tmp_path, url=url)


@pytest.mark.parametrize("url", ["https://[oops/t", "https://a.example:99999/t", "ftp://a.example/t"])
def test_token_addresses_that_are_none_are_refused(url: str, tmp_path: Path):
    with pytest.raises(BadSetting):
        Provider(port=1).pulled(tmp_path, **OAUTH2, token_url=url)


def test_a_page_size_of_thousands_of_digits_is_refused(tmp_path: Path):
    with pytest.raises(BadSetting):
        Provider(port=1).pulled(tmp_path, page_size="9" * 5_000)


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]"])
def test_addresses_no_roster_server_has_are_never_asked(host: str, tmp_path: Path):
    with pytest.raises(BadSetting) as refused:
        Provider(port=1).pulled(tmp_path, url=f"http://{host}", insecure="yes")
    assert "never asked" in refused.value.words


def test_no_secret_is_ever_logged(provider: Provider, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(0)
    provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token", credentials="query")
    assert "client_secret=" in provider.seen[0][0]
    assert "secret" not in caplog.text


def test_the_static_token_is_not_in_the_certificate(provider: Provider, tmp_path: Path):
    assert STATIC not in str(provider.pulled(tmp_path).certificate)


def test_of_two_records_with_one_id_the_one_changed_last_is_kept_and_nothing_proved(
    provider: Provider, tmp_path: Path
):
    first = provider.records["orgs"][0]
    older = {**first, "name": "An old name", "dateLastModified": "2020-01-01T00:00:00Z"}
    provider.records["orgs"] = [*provider.records["orgs"], older]
    fetched = provider.pulled(tmp_path)
    assert rows_of(fetched.path)["orgs"][first["sourcedId"]]["name"] == first["name"]
    orgs = fetched.certificate["collections"]["orgs"]
    assert (orgs["facts"]["no_id_twice"], orgs["values"]["twice"], orgs["mode"]) == (False, 1, "delta")


def test_a_revision_that_changes_in_the_middle_begins_the_collection_anew(provider: Provider, tmp_path: Path):
    def spoil(ask: Ask, reply: Reply) -> Reply:
        revision = "2" if ask.collection == "enrollments" and ask.number >= 3 else "1"
        return Reply(reply.status, reply.body, {**reply.headers, "x-perm-rev": revision})

    provider.spoil = spoil
    enrollments = provider.pulled(tmp_path).certificate["collections"]["enrollments"]
    assert enrollments["complete"]
    assert (enrollments["values"]["attempts"], enrollments["values"]["revisions"]) == (2, ["2"])


def test_a_server_that_gives_everything_at_once_has_been_read_whole(plain: dict[str, Rows], tmp_path: Path):
    def spoil(ask: Ask, reply: Reply) -> Reply:
        return Reply(200, {ask.collection: provider.records[ask.collection]})

    with serving(Provider(spoil=spoil)) as provider:
        fetched = provider.pulled(tmp_path, page_size="1")
    assert rows_of(fetched.path) == plain["1.1"]
    assert fetched.certificate["complete"]


@pytest.mark.parametrize("target", ["http://[", "//127.0.0.1:x/y", "users?a=|b", "\x00", ""])
def test_links_that_are_no_addresses_are_passed_over(
    target: str, provider: Provider, plain: dict[str, Rows], tmp_path: Path
):
    provider.spoil = lambda ask, reply: Reply(
        200, reply.body, {**reply.headers, "Link": f'<{target}>; rel="next"'.replace("\x00", "%")}
    )
    assert rows_of(provider.pulled(tmp_path).path) == plain["1.1"]


@pytest.mark.parametrize("target", ["http://[", "", "https://127.0.0.1:x/"])
def test_redirects_that_are_no_addresses_are_refused(target: str, provider: Provider, tmp_path: Path):
    provider.token = lambda form, headers: Reply(307, {}, {"Location": target})
    with pytest.raises(CannotFetch):
        provider.pulled(tmp_path, **OAUTH2, token_url=f"{provider.address}/token")


def test_an_answer_larger_than_any_page_is_ends_the_pull(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rollbook.connectors.oneroster_rest.wire.LARGEST_ANSWER", 1000)
    with pytest.raises(CannotFetch) as refused:
        provider.pulled(tmp_path)
    assert "fewer records a page" in refused.value.words
