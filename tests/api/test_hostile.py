"""Whatever is sent to the REST door, the answer is never a fault of ours, and always in the words of its version."""

from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.api.endpoints import ENDPOINTS
from tests.api.calls import V1P1, V1P2

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
WORDS = st.sampled_from(
    ["filter", "sort", "orderBy", "fields", "limit", "offset", "status", "='active'", " AND ", "~'", "''", "dateLastModified>",
     "roles.role='student'", "metadata.x='1'", "2020-01-01", "-1", "1e3", "9" * 30, "%00", "\x00", "'", "\\'", ",", ".", "É"]
)  # fmt: skip
VALUES = st.lists(st.one_of(WORDS, ANY_TEXT), max_size=6).map("".join)
NAMES = st.one_of(st.sampled_from(["filter", "sort", "orderBy", "fields", "limit", "offset"]), ANY_TEXT)
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=4)
PATHS = st.one_of(
    st.sampled_from([address for address, _ in ENDPOINTS]),
    st.lists(ANY_TEXT, max_size=4).map(lambda parts: V1P1 + "/users/" + "/".join(parts)),
    st.lists(ANY_TEXT, max_size=4).map(lambda parts: V1P2 + "/" + "/".join(parts)),
)

many = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # fmt: skip


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def is_sound(answer, path: str) -> bool:
    """An answer of ours: no fault, and its body that of a success or of a refusal."""
    if answer.status_code >= 500:
        return False
    if answer.status_code == 200:
        return bool(answer["X-Total-Count"])
    body = answer.json()
    return "statusInfoSet" in body if path.startswith(f"{V1P1}/") else "imsx_codeMajor" in body


@many
@given(path=PATHS, query=QUERIES)
def test_no_path_and_no_query_makes_a_fault(token, client, path, query):
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    answer = client.get(f"{quote(path, safe='/')}?{text}", headers={"Authorization": f"Bearer {token}"})
    assert is_sound(answer, path), (answer.status_code, answer.content)


@many
@given(query=st.binary(max_size=60))
def test_no_raw_query_makes_a_fault(token, client, query):
    raw = query.replace(b"#", b"").decode("latin-1")
    answer = client.get(f"{V1P1}/users", QUERY_STRING=raw, headers={"Authorization": f"Bearer {token}"})
    assert is_sound(answer, f"{V1P1}/"), (answer.status_code, answer.content)


@many
@given(
    header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=120),
    scheme=st.sampled_from(["", "Bearer ", "OAuth ", "Basic "]),
)
def test_no_authorization_header_makes_a_fault(roster, client, header, scheme):
    for path in (f"{V1P1}/users", f"{V1P2}/users"):
        answer = client.get(path, headers={"Authorization": scheme + header})
        assert answer.status_code == 401
        assert is_sound(answer, path)
    answer = client.post(
        "/oauth2/token", {"grant_type": "client_credentials"}, headers={"Authorization": scheme + header}
    )
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


@many
@given(body=st.binary(max_size=200), query=st.binary(max_size=60))
def test_no_form_makes_a_fault_of_the_token_endpoint(roster, client, body, query):
    answer = client.generic(
        "POST",
        "/oauth2/token",
        body,
        "application/x-www-form-urlencoded",
        QUERY_STRING=query.decode("latin-1"),
    )
    assert answer.status_code in (400, 401)
    assert answer.json()["error"]
