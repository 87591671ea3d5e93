"""Reading: every operation of both versions, its envelope, its pages, its conditions and its refusals."""

import gzip
import json
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from rollbook.api import rate
from rollbook.api.endpoints import ENDPOINTS
from rollbook.flows import apps
from rollbook.flows.districts import add_district
from rollbook.store.models import AccessToken, District, User
from tests.api.calls import BASES, PUBLIC, SCOPES, SCOPES_V1P1, V1P1, V1P2, get, path_of, token_of
from tests.api.roster import AWKWARD, fill

VERSIONS = sorted(BASES)

IDS = {
    "academicSessions": "year",
    "terms": "term",
    "gradingPeriods": "period",
    "classes": "class-north",
    "courses": "course",
    "demographics": "student-1",
    "enrollments": "enrollment-student-1",
    "orgs": "org-top",
    "schools": "school-north",
    "users": "student-1",
    "students": "student-1",
    "teachers": "teacher-north",
    "resources": "book",
}
PARENTS = {
    "schoolSourcedId": "school-north",
    "classSourcedId": "class-north",
    "courseSourcedId": "course",
    "termSourcedId": "term",
    "studentSourcedId": "student-1",
    "teacherSourcedId": "teacher-north",
    "userSourcedId": "student-1",
}


def filled(address: str, ids: dict[str, str] | None = None) -> str:
    """The address with ids that exist."""
    first = address.split("/")[4 if "/v1p1/" in address else 5]
    known = PARENTS | {"sourcedId": IDS[first]} | (ids or {})
    return re.sub(r"{(\w+)}", lambda found: quote(known[found[1]], safe=""), address)


def links(answer) -> dict[str, str]:
    return {relation: url for url, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', answer["Link"])}


@pytest.mark.parametrize(
    ("address", "operation"),
    ENDPOINTS,
    ids=[f"{operation.version} {operation.path}" for _, operation in ENDPOINTS],
)
def test_every_operation_answers_in_its_wrapper(token, address, operation):
    answer = get(filled(address), token)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/json"
    assert list(answer.json()) == [operation.key]
    found = answer.json()[operation.key]
    if operation.kind == "single":
        assert found["sourcedId"] == IDS[operation.path.split("/")[1]]
        assert answer["X-Total-Count"] == "1"
        assert "Link" not in answer
    else:
        assert len(found) == int(answer["X-Total-Count"]) > 0
        assert {"first", "last"} == set(links(answer))
    assert "\x7f" not in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [address for address, operation in ENDPOINTS if "{" in address],
)
def test_an_unknown_id_is_not_found_wherever_it_stands(token, address):
    names = re.findall(r"{(\w+)}", address)
    for name in names:
        answer = get(filled(address, {name: "nobody"}), token)
        assert answer.status_code == 404, (name, answer.content)


@pytest.mark.parametrize("base", BASES.values())
@pytest.mark.parametrize("sourced_id", AWKWARD)
def test_an_id_with_any_character_is_found_and_linked_to(token, base, sourced_id):
    answer = get(f"{base}/users/{quote(sourced_id, safe='')}", token)
    assert answer.json()["user"]["sourcedId"] == sourced_id
    enrollment = get(f"{base}/enrollments/{quote(f'enrollment-{sourced_id}', safe='')}", token).json()
    href = enrollment["enrollment"]["user"]["href"]
    assert href.startswith(f"{PUBLIC}{base}/users/")
    assert get(path_of(href), token).json()["user"]["sourcedId"] == sourced_id
    classes = get(f"{base}/students/{quote(sourced_id, safe='')}/classes", token)
    assert [found["sourcedId"] for found in classes.json()["classes"]] == ["class-north"]
    assert links(classes)["first"].startswith(
        f"{PUBLIC}{base}/students/{quote(sourced_id, safe='')}/classes?"
    )


@pytest.mark.parametrize("base", BASES.values())
def test_following_next_reads_every_record_once(token, base):
    url = f"{PUBLIC}{base}/users?limit=5"
    seen: list[str] = []
    sizes = []
    while url:
        answer = get(path_of(url), token)
        assert answer["X-Total-Count"] == "12"
        page = [user["sourcedId"] for user in answer.json()["users"]]
        seen += page
        sizes.append(len(page))
        url = links(answer).get("next", "")
    assert sizes == [5, 5, 2]
    assert sorted(seen) == sorted(User.objects.values_list("sourced_id", flat=True))


def test_links_keep_the_rest_of_the_query(token):
    query = "filter=" + quote("role='student' AND givenName='Colin Robert'", safe="") + "&sort=familyName"
    answer = get(f"{V1P1}/users?offset=2&{query}&limit=1", token)
    assert answer["X-Total-Count"] == "4"
    found = links(answer)
    assert found == {
        "first": f"{PUBLIC}{V1P1}/users?{query}&limit=1&offset=0",
        "prev": f"{PUBLIC}{V1P1}/users?{query}&limit=1&offset=1",
        "next": f"{PUBLIC}{V1P1}/users?{query}&limit=1&offset=3",
        "last": f"{PUBLIC}{V1P1}/users?{query}&limit=1&offset=3",
    }
    for url in found.values():
        assert len(get(path_of(url), token).json()["users"]) == 1


def test_beyond_the_end_there_is_an_empty_list_and_a_way_back(token):
    answer = get(f"{V1P2}/users?offset=1000&limit=5", token)
    assert (answer.status_code, answer.json(), answer["X-Total-Count"]) == (200, {"users": []}, "12")
    assert links(answer)["prev"].endswith("limit=5&offset=10")
    assert "next" not in links(answer)


def test_a_district_that_published_nothing_is_empty(key):
    answer = get(f"{V1P1}/users", token_of(key))
    assert (answer.status_code, answer.json(), answer["X-Total-Count"]) == (200, {"users": []}, "0")
    assert links(answer)["last"].endswith("offset=0")


def test_sub_collections_are_what_they_are_called(token):
    for base in BASES.values():
        assert len(get(f"{base}/students", token).json()["users"]) == 11
        assert [user["sourcedId"] for user in get(f"{base}/teachers", token).json()["users"]] == [
            "teacher-north"
        ]
        assert len(get(f"{base}/schools", token).json()["orgs"]) == 2
        assert [term["sourcedId"] for term in get(f"{base}/terms", token).json()["academicSessions"]] == [
            "term"
        ]
        assert get(f"{base}/teachers/student-1", token).status_code == 404
        assert get(f"{base}/schools/org-top", token).status_code == 404


def test_fields_chooses_members(token):
    answer = get(f"{V1P2}/users?fields=sourcedId,givenName&limit=1", token)
    assert [set(user) for user in answer.json()["users"]] == [{"sourcedId", "givenName"}]
    assert set(get(f"{V1P1}/users/student-1?fields=sourcedId", token).json()["user"]) == {"sourcedId"}


def test_1_1_warns_beside_the_data(token):
    answer = get(f"{V1P1}/orgs?sort=nothing&fields=name,noSuchField", token).json()
    assert list(answer) == ["statusInfoSet", "orgs"]
    assert len(answer["orgs"]) == 3
    assert "type" in answer["orgs"][0]
    assert {info["imsx_codeMinor"] for info in answer["statusInfoSet"]} == {
        "invalid_sort_field",
        "invalid_selection_field",
    }
    for info in answer["statusInfoSet"]:
        assert (info["imsx_codeMajor"], info["imsx_severity"]) == ("success", "warning")
        assert info["imsx_operationRefIdentifier"] == "getAllOrgs"


def test_1_2_has_no_place_for_warnings(token):
    assert list(get(f"{V1P2}/orgs?sort=nothing", token).json()) == ["orgs"]
    assert get(f"{V1P2}/orgs?fields=noSuchField", token).status_code == 400


# --- Refusals ----------------------------------------------------------------------------------------------------


def judged(answer, version: str) -> tuple[str, str]:
    """(severity, code minor) of a failure, its body checked."""
    body = answer.json()
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Request-Id"]
    if version == "1.1":
        [info] = body["statusInfoSet"]
        assert list(body) == ["statusInfoSet"]
        assert info["imsx_messageRefIdentifier"] == answer["X-Request-Id"]
        return info["imsx_severity"], info["imsx_codeMinor"]
    assert set(body) <= {"imsx_codeMajor", "imsx_severity", "imsx_description", "imsx_CodeMinor"}
    [field] = body["imsx_CodeMinor"]["imsx_codeMinorField"]
    return body["imsx_severity"], field["imsx_codeMinorFieldValue"]


BAD_QUERIES = [
    ("limit=abc", "invaliddata"),
    ("limit=-1", "invaliddata"),
    ("limit=0", "invaliddata"),
    ("limit=10001", "invaliddata"),
    ("limit=1e3", "invaliddata"),
    ("limit=", "invaliddata"),
    ("limit=1&limit=1", "invaliddata"),
    ("offset=-1", "invaliddata"),
    ("offset=x", "invaliddata"),
    ("offset=9223372036854775808", "invaliddata"),
    ("filter=noSuchField%3D%27x%27", "invalid_filter_field"),
    ("filter=status", "invalid_filter_field"),
    ("filter=status%3D%27active", "invalid_filter_field"),
    ("filter=dateLastModified%3E%27yesterday%27", "invalid_filter_field"),
    ("filter=givenName%3D%27%00%27", "invaliddata"),
    ("&".join(f"p{number}=1" for number in range(150)), "invaliddata"),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("query", "code"), BAD_QUERIES)
def test_a_query_without_sense_is_a_bad_request_in_the_words_of_its_version(token, version, query, code):
    answer = get(f"{BASES[version]}/users?{query}", token)
    assert answer.status_code == 400, answer.content
    severity, minor = judged(answer, version)
    assert severity == "error"
    assert minor in (code, "invaliddata", "invalid data")


def test_an_unknown_filter_field_is_named(token):
    answer = get(f"{V1P1}/users?filter=familynam%3D%27x%27", token)
    [info] = answer.json()["statusInfoSet"]
    assert info["imsx_codeMinor"] == "invalid_filter_field"
    assert "familynam" in info["imsx_description"]
    assert "character 1" in info["imsx_description"]


def test_blank_fields_have_a_word_of_their_own_in_1_1(token):
    assert judged(get(f"{V1P1}/users?fields=", token), "1.1")[1] == "invalid_blank_selection_field"
    assert judged(get(f"{V1P2}/users?fields=", token), "1.2")[1] == "invalid_selection_field"


@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_reads_without_a_token(roster, version):
    for header in ("", "Bearer", "Bearer nonsense", "Basic eDp5", "Bearer \xff", "nonsense"):
        answer = get(f"{BASES[version]}/users", **({"Authorization": header} if header else {}))
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith('Bearer realm="OneRoster"')
        assert judged(answer, version)[1].startswith("unauthori")


def test_a_token_in_the_address_opens_nothing(token):
    assert get(f"{V1P1}/users?access_token={token}").status_code == 401


@pytest.mark.parametrize("version", VERSIONS)
def test_an_address_where_nothing_is_says_so_to_strangers_too(db, version):
    for path in ("/nothing", "/lineItems", "/classes/c/lineItems", "/results", "/", ""):
        answer = get(BASES[version] + path)
        assert answer.status_code == 404, path
        assert judged(answer, version)[1].replace(" ", "") == "unknownobject"


def test_each_service_of_1_2_has_its_own_address_and_the_gradebook_none_yet(token):
    for path in ("/ims/oneroster/gradebook/v1p2/lineItems", "/ims/oneroster/rostering/v1p2/resources"):
        assert judged(get(path, token), "1.2")[1] == "unknownobject"
    for base in BASES.values():
        assert get(f"{base}/classes/class-north/categories", token).status_code == 404


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_told_which_ones_there_are(token, version, method):
    answer = Client().generic(method, f"{BASES[version]}/users", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json()
    assert Client().generic(method, f"{BASES[version]}/lineItems/x").status_code == 404


@pytest.mark.parametrize("base", BASES.values())
def test_head_says_what_get_would(token, base):
    whole = get(f"{base}/users?limit=2", token)
    answer = Client().head(f"{base}/users?limit=2", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.content == b""
    for name in ("X-Total-Count", "Link", "ETag", "Content-Type", "Content-Length"):
        assert answer[name] == whole[name]


def test_a_get_with_a_form_body_is_a_get(token):
    answer = Client().generic(
        "GET", f"{V1P1}/users?limit=1", "limit=5&offset=3", "application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert len(answer.json()["users"]) == 1


# --- Scopes ------------------------------------------------------------------------------------------------------


def opened(token: str, base: str) -> dict[str, int]:
    """The status of a core collection, a nested path and demographics."""
    paths = {
        "core": "/users",
        "nested": "/schools/school-north/enrollments",
        "demographics": "/demographics/student-1",
    }
    return {name: get(base + path, token).status_code for name, path in paths.items()}


@pytest.mark.parametrize(("base", "prefix"), [(V1P1, SCOPES_V1P1), (V1P2, SCOPES)])
def test_each_scope_opens_what_the_standard_says(roster, key, base, prefix):
    core, nested, people = "roster-core.readonly", "roster.readonly", "roster-demographics.readonly"
    expected = {
        (core,): (200, 403, 403),
        (nested,): (200, 200, 403),
        (people,): (403, 403, 200),
        (core, people): (200, 403, 200),
        (core, nested, people): (200, 200, 200),
        ("gradebook.readonly",): (403, 403, 403),
        (): (200, 200, 200),
    }
    for names, statuses in expected.items():
        token = token_of(key, *(prefix + name for name in names))
        assert tuple(opened(token, base).values()) == statuses, names


def test_scopes_of_one_version_do_not_open_the_other(roster, key):
    assert set(opened(token_of(key, f"{SCOPES}roster.readonly"), V1P1).values()) == {403}
    answer = get(f"{V1P1}/users", token_of(key, f"{SCOPES}roster.readonly"))
    assert judged(answer, "1.1")[1] == "forbidden"


# --- Grants ------------------------------------------------------------------------------------------------------


def test_a_disabled_app_is_forbidden_at_once_and_let_in_again(token, grant):
    apps.disable(grant)
    for version, base in BASES.items():
        answer = get(f"{base}/users", token)
        assert answer.status_code == 403
        assert judged(answer, version)[1] == "forbidden"
    apps.enable(grant)
    assert get(f"{V1P1}/users", token).status_code == 200


def test_a_revoked_key_opens_nothing_with_the_tokens_it_got(token, key):
    apps.revoke_key(key.client_id)
    assert get(f"{V1P1}/users", token).status_code == 403


def test_a_token_that_has_run_out_opens_nothing(token):
    stored = AccessToken.objects.get()
    assert timedelta(minutes=59) < stored.expires - timezone.now() <= timedelta(hours=1)
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert get(f"{V1P1}/users", token).status_code == 401


def test_one_app_s_key_sees_one_district_whatever_it_asks_for(token, grant):
    other = add_district("Elsewhere")
    fill(other)
    key = apps.add_key(apps.grant_app(other, grant.app, "full", []))
    User.objects.filter(district=other, sourced_id="student-1").update(given_name="Elsewhere")
    for base in BASES.values():
        there = get(f"{base}/users?tenantId={grant.district_id}&district={grant.district_id}", token_of(key))
        here = get(f"{base}/users?tenantId={other.pk}&district={other.pk}", token)
        assert there["X-Total-Count"] == here["X-Total-Count"] == "12"
    fresh = fill(add_district("Third"))
    fresh.student("only-there", 2, None)
    assert get(f"{V1P1}/users/only-there", token).status_code == 404


def test_a_basic_grant_sees_its_schools_and_nothing_beside_them(roster, district):
    limited = apps.grant_app(district, apps.add_app("South App"), "basic", ["school-south"])
    token = token_of(apps.add_key(limited))
    for base in BASES.values():
        assert [user["sourcedId"] for user in get(f"{base}/users", token).json()["users"]] == [
            "student-south"
        ]
        assert get(f"{base}/users/student-1", token).status_code == 404
        assert get(f"{base}/schools/school-north/students", token).status_code == 404
        assert get(f"{base}/classes/class-north", token).status_code == 404
        assert get(f"{base}/enrollments", token)["X-Total-Count"] == "1"


# --- Conditions and compression ----------------------------------------------------------------------------------


def test_what_is_known_already_is_not_sent_again(token):
    first = get(f"{V1P2}/users?limit=3", token)
    for tags in (first["ETag"], f'"other", {first["ETag"]}', first["ETag"].removeprefix("W/"), "*"):
        answer = get(f"{V1P2}/users?limit=3", token, **{"If-None-Match": tags})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"] == first["ETag"]
        assert answer["X-Total-Count"] == "12"
    assert get(f"{V1P2}/users?limit=3", token, **{"If-None-Match": 'W/"other"'}).status_code == 200


def test_a_change_gives_another_tag(token, roster):
    before = get(f"{V1P1}/users?limit=3", token)["ETag"]
    assert get(f"{V1P1}/users?limit=3", token)["ETag"] == before
    roster.student("late", 2, None)
    roster.publish()
    assert get(f"{V1P1}/users?limit=3", token, **{"If-None-Match": before}).status_code == 200


def test_each_page_and_selection_has_a_tag_of_its_own(token):
    queries = ("", "?limit=3", "?limit=3&offset=3", "?fields=sourcedId", "?filter=status%3D%27active%27")
    tags = [get(f"{base}/users{query}", token)["ETag"] for base in BASES.values() for query in queries]
    assert len(set(tags)) == len(tags)


def test_a_long_answer_is_compressed_for_those_who_take_it(token):
    plain = get(f"{V1P1}/users", token)
    assert "Content-Encoding" not in plain
    for accepted in ("gzip", "deflate, gzip;q=0.5", "*", "GZIP"):
        packed = get(f"{V1P1}/users", token, **{"Accept-Encoding": accepted})
        assert packed["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.content) == plain.content
        assert packed["Content-Length"] == str(len(packed.content))
        assert "Accept-Encoding" in packed["Vary"]
    for accepted in ("gzip;q=0", "identity", "br", "*;q=0", "gzip; q=0.000, *"):
        assert "Content-Encoding" not in get(f"{V1P1}/users", token, **{"Accept-Encoding": accepted})


def test_the_text_is_json_without_nulls(token):
    for base in BASES.values():
        text = get(f"{base}/users", token).content.decode()
        json.loads(text)
        assert ":null" not in text


# --- Limits and faults -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_too_many_requests_are_told_when_to_come_back(token, version, monkeypatch):
    monkeypatch.setattr(rate, "BUCKETS", rate.Buckets(2))
    path = f"{BASES[version]}/users"
    assert [get(path, token).status_code for _ in range(3)] == [200, 200, 429]
    answer = get(path, token)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert judged(answer, version)[1] == "server_busy"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fault_of_ours_tells_no_more_than_the_id_it_is_logged_under(token, version, caplog, district):
    District.objects.filter(pk=district.pk).update(publication=999)
    answer = get(f"{BASES[version]}/users", token)
    assert answer.status_code == 500
    assert judged(answer, version)[1] == "internal_server_error"
    assert "Publication" not in answer.content.decode()
    assert answer["X-Request-Id"] in caplog.text
