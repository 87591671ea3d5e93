"""What other servers' JSON may hold, down to single values; and that nothing it holds can break the reading."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.connectors.contract import BadSetting
from rollbook.connectors.oneroster_rest import values
from rollbook.connectors.oneroster_rest.address import candidates, is_same_place
from rollbook.connectors.oneroster_rest.configuration import checked
from rollbook.connectors.oneroster_rest.envelope import NoEnvelope, page_of
from rollbook.connectors.oneroster_rest.reading import row_of
from rollbook.connectors.oneroster_rest.wire import Answer, retry_after
from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.csv_binding import Supply, cells
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.spec import GUID
from rollbook.oneroster.tables import BINDINGS
from rollbook.oneroster.vocabularies import SESSION_TYPE_11

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
TODAY = "2026-11-20"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(["null", "\0", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("nothing", [None, "", " ", "null", "NULL", [], {}])
def test_nothing_has_many_faces(nothing: Any):
    assert values.text(nothing) is None
    assert values.reference(nothing) is None
    assert values.date(nothing) is None
    assert values.texts(nothing) == []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (True, True), ("TRUE", True), ("t", True), ("1", True), (1, True), ("Yes", True), (False, False), ("False", False),
        (0, False), ("no", False), ("perhaps", None), (None, None),
    ],
)  # fmt: skip
def test_booleans(given: Any, read: bool | None):
    assert values.flag(given) is read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-08-01", "2026-08-01"), ("2026-08-01T00:00:00Z", "2026-08-01"), ("2026-08-01 00:00", "2026-08-01"),
        ("8/1/2026", "2026-08-01"), ("08/01/2026 12:00:00 AM", "2026-08-01"), ("0001-01-01", None),
        ("0001-01-01T00:00:00", None), ("9999-12-31", None), ("soon", "soon"),
    ],
)  # fmt: skip
def test_dates(given: str, read: str | None):
    assert values.date(given) == read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-08-01T07:00:00.000Z", "2026-08-01T07:00:00.000Z"), ("2026-08-01T09:00:00+02:00", "2026-08-01T07:00:00.000Z"),
        ("2026-08-01T07:00:00", "2026-08-01T07:00:00.000Z"), ("2026-08-01", "2026-08-01T00:00:00.000Z"),
        ("2026-08-01T07:00:00.1234567Z", "2026-08-01T07:00:00.123Z"), ("0001-01-01T00:00:00", None), ("yesterday", None),
    ],
)  # fmt: skip
def test_moments_are_utc_to_the_millisecond(given: str, read: str | None):
    assert values.moment(given) == read


@pytest.mark.parametrize("given", ["schoolYear", "School Year", "SCHOOL_YEAR", "school-year"])
def test_words_are_spelled_as_the_standard_does(given: str):
    assert values.word(given, SESSION_TYPE_11) == "schoolYear"


def test_words_nobody_knows_stay():
    assert values.word("ext:camp", SESSION_TYPE_11) == "ext:camp"
    assert values.word("fortnight", SESSION_TYPE_11) == "fortnight"


@pytest.mark.parametrize("given", ["inactive", "ToBeDeleted", "tobedeleted", "DELETED", "to be deleted"])
def test_what_is_gone_has_many_words(given: str):
    assert values.status(given) == "tobedeleted"


@pytest.mark.parametrize("given", [None, "", "active", "Active", "enrolled"])
def test_whatever_else_is_active(given: Any):
    assert values.status(given) == "active"


@pytest.mark.parametrize(
    "given",
    [
        "x",
        {"sourcedId": "x"},
        {"href": "", "sourcedId": "x", "type": "student"},
        [{"sourcedId": "x"}],
        {"id": "x"},
    ],
)
def test_references_are_their_ids(given: Any):
    assert values.reference(given) == "x"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"type": "LDAP", "identifier": "amy.pond"}, "{LDAP:amy.pond}"), ("{LDAP:amy.pond}", "{LDAP:amy.pond}"),
        ({"identifier": 42}, "{id:42}"), ({"type": "a,b:c", "identifier": "x,{y}"}, "{abc:x y}"), ({"type": "LDAP"}, None), (7, None),
        ("{LDAP:amy\ud800\0}", "{LDAP:amy?}"), ("null", None),
    ],
)  # fmt: skip
def test_user_ids_have_the_shape_of_a_package(given: Any, read: str | None):
    assert values.user_id(given) == read


@pytest.mark.parametrize("given", [{"a": 1, "b": [2]}, [{"a": "1"}, {"b": [2]}], '{"a": 1, "b": [2]}'])
def test_metadata_comes_in_three_ways(given: Any):
    assert values.metadata(given) == {"a": "1", "b": "[2]"}


@given(st.text())
def test_every_id_becomes_one_a_package_can_write_and_no_two_the_same(given: str):
    written = values.identifier(given)
    assert written is None or len(written) > 255 or GUID.fullmatch(written)
    if written is not None and "@" not in given:
        assert values.identifier(f"{given}x") != written


@given(st.sampled_from(SERVED), st.sampled_from(["1.1", "1.2"]), st.data())
def test_no_record_breaks_the_reading_and_every_row_can_be_written(
    collection: str, version: str, data: st.DataObject
):
    names = [member.name for member in ENTITIES[version, collection].members]
    record = data.draw(st.dictionaries(st.sampled_from(names), json_values))
    row = row_of(version, collection, {**record, "sourcedId": "x"}, TODAY)
    assert row is not None
    json.dumps(row)
    [line] = cells(
        BINDINGS[version].table(collection), Supply([row], "delta", tuple(row.get("metadata", ())))
    )
    ",".join(line).encode()


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_answer_breaks_the_reading(body: bytes):
    answer = Answer("https://a.example/users", 200, httpx2.Headers(), body)
    try:
        page = page_of(answer, "users")
    except NoEnvelope:
        return
    assert all(isinstance(record, dict) for record in page.records)


def test_an_answer_too_deep_to_read_is_none():
    with pytest.raises(NoEnvelope):
        page_of(Answer("https://a.example/users", 200, httpx2.Headers(), b"[" * 200_000), "users")


@pytest.mark.parametrize(
    ("total", "read"), [("12", 12), ("-1", None), ("many", None), ("", None), ("1.5", None)]
)
def test_a_total_is_a_number_or_nothing(total: str, read: int | None):
    headers = httpx2.Headers({"X-Total-Count": total})
    assert page_of(Answer("https://a.example/users", 200, headers, b'{"users": []}'), "users").total == read


@pytest.mark.parametrize(
    "link",
    [
        '<https://a.example/users?offset=5>; rel="next"',
        "</users?offset=5>;rel=next",
        '<?offset=5>; title="x"; rel="next"',
    ],
)
def test_links_are_read_in_every_spelling(link: str):
    answer = Answer("https://a.example/users?offset=0", 200, httpx2.Headers({"Link": link}), b'{"users": []}')
    assert page_of(answer, "users").next_url == "https://a.example/users?offset=5"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("120", 120), ("1.5", 1.5), ("", None), ("soon", None), ("-5", None),
        ("Fri, 20 Nov 2026 03:00:30 GMT", 30), ("Fri, 20 Nov 2026 02:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None):
    assert retry_after(text, NOW) == seconds


@pytest.mark.parametrize(
    ("written", "bases"),
    [
        ("a.example", ["https://a.example/ims/oneroster/rostering/v1p2", "https://a.example/ims/oneroster/v1p1"]),
        ("https://a.example/x/", ["https://a.example/x/ims/oneroster/rostering/v1p2", "https://a.example/x/ims/oneroster/v1p1"]),
        ("https://a.example/x/ims/oneroster", ["https://a.example/x/ims/oneroster/rostering/v1p2", "https://a.example/x/ims/oneroster/v1p1"]),
        ("https://a.example:8443/ims/oneroster/v1p1/", ["https://a.example:8443/ims/oneroster/v1p1"]),
        ("a.example/c/ims/oneroster/rostering/v1p2", ["https://a.example/c/ims/oneroster/rostering/v1p2"]),
    ],
)  # fmt: skip
def test_an_address_may_be_written_in_part_or_whole(written: str, bases: list[str]):
    assert [service.base for service in candidates(written, "", insecure=False)] == bases


def test_an_address_and_a_version_that_contradict_each_other_are_refused():
    with pytest.raises(BadSetting):
        candidates("https://a.example/ims/oneroster/v1p1", "1.2", insecure=False)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://a.example/y", True), ("https://A.example:443/y", True), ("http://a.example/y", False),
        ("https://b.example/y", False), ("https://a.example.evil/y", False), ("https://a.example:444/y", False),
    ],
)  # fmt: skip
def test_the_same_place_is_the_same_host_and_port(url: str, same: bool):
    assert is_same_place(url, "https://a.example/x") is same


def test_settings_are_kept_without_secrets_and_without_what_was_left_empty():
    settings = {
        "url": "a.example",
        "version": "",
        "sign_in": "OAuth2",
        "client_id": "c",
        "token_url": "https://a.example/token",
        "x": "y",
    }
    kept, secrets = checked(settings, {"client_secret": "s", "token": ""})
    assert kept == {
        "url": "a.example",
        "sign_in": "oauth2",
        "client_id": "c",
        "token_url": "https://a.example/token",
    }
    assert secrets == {"client_secret": "s"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": ""}, {"sign_in": "magic"}, {"version": "1.3"}, {"page_size": "0"}, {"page_size": "ten"}, {"demographics": "maybe"},
        {"client_id": ""}, {"sign_in": "bearer"}, {"sign_in": "oauth1", "version": "1.2"}, {"token_url": "http://a.example/token"},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong: dict[str, str]):
    with pytest.raises(BadSetting):
        checked({"url": "a.example", "client_id": "c", **wrong}, {"client_secret": "s"})
