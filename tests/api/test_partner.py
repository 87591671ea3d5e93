"""The partner API, as a partner's program calls it: the list of districts, a bearer for each, and the keys to read directly."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from rollbook.api import access_log
from rollbook.flows import apps, audit, catalogue, partner_access, partners
from rollbook.flows.districts import add_district
from rollbook.store.models import AccessRow, Grant, Partner
from tests.api.calls import PUBLIC, V1P1, ask_token, basic, get, get_signed, path_of, token_of

IMPATIENT = {
    "sqlite": ("PRAGMA busy_timeout = 100", "PRAGMA busy_timeout = 30000"),
    "postgresql": ("SET lock_timeout = 100", "SET lock_timeout = 0"),
}


@pytest.fixture
def partner(db: None) -> Partner:
    return partners.add_partner("Quorndle")


@pytest.fixture
def grant(district, partner: Partner) -> Grant:
    """An app of the partner, added by the district and enabled."""
    developer = partners.employ(partner, "ines@quorndle.example")
    grant = apps.grant_app(district, catalogue.enter({"name": "Reader"}, developer), "full", [])
    apps.enable(grant)
    return grant


@pytest.fixture
def partner_key(partner: Partner) -> str:
    return partners.make_key(partner, "Nightly", "ines@quorndle.example")[1]


def listed(key: str, query: str = "") -> list[dict[str, Any]]:
    answer = get(f"/applications{query}", key)
    assert answer.status_code == 200, answer.content
    assert answer.json()["status"] == 1
    return list(answer.json()["applications"])


def test_the_districts_that_added_an_app_are_listed_as_the_field_knows_it(grant, partner_key):
    [one] = listed(partner_key)
    bearer = one.pop("bearer")
    assert one == {
        "id": grant.pk,
        "application_id": grant.app_id,
        "tenant_id": grant.district_id,
        "tenant_name": "Riverbend Unified School District",
        "tenant_status": "Active",
        "name": "Reader",
        "version": "v1p1",
        "enabled": "true",
        "oneroster_application_id": str(grant.pk),
    }
    assert [row["bearer"] for row in listed(partner_key)] == [bearer]


def test_only_ones_own_apps_are_listed_page_by_page(grant, partner_key, partner):
    others = partners.add_partner("Tessivale")
    stranger = catalogue.enter({"name": "Maths"}, partners.employ(others, "x@tessivale.example"))
    apps.grant_app(grant.district, stranger, "full", [])
    second = apps.grant_app(add_district("Cedar Valley"), grant.app, "full", [])
    assert [row["id"] for row in listed(partner_key)] == [grant.pk, second.pk]
    assert [row["id"] for row in listed(partner_key, "?limit=1&offset=1")] == [second.pk]
    assert get("/applications?limit=1", partner_key)["X-Total-Count"] == "2"
    assert get("/applications?limit=0", partner_key).status_code == 400


def test_a_bearer_reads_its_district_below_its_application(roster, grant, partner_key):
    [one] = listed(partner_key)
    below = f"/applications/{one['oneroster_application_id']}"
    page = get(f"{below}{V1P1}/students?limit=3", one["bearer"])
    assert page.status_code == 200
    assert page["X-Total-Count"] == "11"
    direct = get(f"{V1P1}/students?limit=3", token_of(apps.add_key(grant)))
    assert [row["sourcedId"] for row in page.json()["users"]] == [
        row["sourcedId"] for row in direct.json()["users"]
    ]


def test_what_is_read_there_leads_on_to_there(roster, grant, partner_key):
    [one] = listed(partner_key)
    below = f"/applications/{grant.pk}{V1P1}"
    page = get(f"{below}/enrollments?limit=2", one["bearer"])
    hrefs = [page.json()["enrollments"][0][name]["href"] for name in ("user", "class", "school")]
    links = [part.split(">")[0].strip(" <") for part in page["Link"].split(",")]
    assert all(url.startswith(f"{PUBLIC}{below}/") for url in [*hrefs, *links])
    for url in [*hrefs, *links]:
        assert get(path_of(url), one["bearer"]).status_code == 200
    assert f"{PUBLIC}{V1P1}" not in page.content.decode()


def test_a_bearer_opens_nothing_else(roster, grant, partner_key, partner):
    second = apps.grant_app(add_district("Cedar Valley"), grant.app, "full", [])
    apps.enable(second)
    mine, other = (row["bearer"] for row in listed(partner_key))
    below = f"/applications/{grant.pk}{V1P1}/schools"
    assert get(below, mine).status_code == 200
    assert get(below, other).status_code == 401
    assert get(f"{V1P1}/schools", mine).status_code == 401
    assert get("/applications", mine).status_code == 401
    assert get(f"/applications/{second.pk}{V1P1}/schools", mine).status_code == 401
    assert Client().post(below, headers={"Authorization": f"Bearer {mine}"}).status_code == 405
    assert get(f"/applications/{grant.pk}/nothing", partner_key).status_code == 404
    assert get(f"/applications/{grant.pk}/ims/oneroster/v1p1/nothing", mine).status_code == 404


def test_nothing_but_its_bearer_opens_an_application(roster, grant, partner_key):
    below = f"/applications/{grant.pk}{V1P1}/schools"
    key = apps.add_key(grant, oauth1=True)
    assert get(below).status_code == 401
    assert get(below, token_of(key)).status_code == 401
    assert get(below, partner_key).status_code == 401
    assert get_signed(key, below).status_code == 401


def test_a_key_behind_a_bearer_gets_no_token(grant, partner_key):
    listed(partner_key)
    credential = grant.credentials.get(bearer__isnull=False)
    for secret in ("", credential.bearer.secret, credential.client_secret):
        key = apps.Key(credential.pk, credential.client_id, secret, False)
        assert ask_token({"grant_type": "client_credentials"}, **basic(key)).status_code == 401


def test_a_disabled_app_is_listed_as_such_and_reads_nothing(roster, grant, partner_key):
    apps.disable(grant)
    [one] = listed(partner_key)
    assert one["enabled"] == "false"
    assert get(f"/applications/{grant.pk}{V1P1}/schools", one["bearer"]).status_code == 403
    answer = get(f"/applications/{grant.pk}/server", partner_key)
    assert answer.status_code == 409
    assert "enable it" in answer.json()["message"]


def test_a_new_bearer_ends_the_former_one_and_a_revoked_one_is_not_replaced(roster, grant, partner_key):
    [one] = listed(partner_key)
    partner_access.make_bearer(grant)
    [another] = listed(partner_key)
    below = f"/applications/{grant.pk}{V1P1}/schools"
    assert get(below, one["bearer"]).status_code == 401
    assert get(below, another["bearer"]).status_code == 200
    apps.revoke_key(grant.credentials.get(bearer__isnull=False, revoked_at=None).client_id)
    assert get(below, another["bearer"]).status_code == 401
    assert listed(partner_key)[0]["bearer"] == ""


def test_the_pair_for_oauth_1_is_shown_again_and_that_is_audited(roster, grant, partner_key):
    key = apps.add_key(grant, oauth1=True)
    told = get(f"/applications/{grant.pk}/server", partner_key).json()
    assert (told["server"]["client_id"], told["server"]["client_secret"]) == (
        key.client_id,
        key.client_secret,
    )
    assert told["server"]["endpoint_url"] == f"{PUBLIC}{V1P1}"
    assert get_signed(key, f"{V1P1}/schools").status_code == 200
    entry = audit.entries(grant.district_id).filter(act="key.show").get()
    assert (entry.actor, entry.door, entry.object) == ("Quorndle (Nightly)", "partner API", key.client_id)


def test_without_such_a_pair_it_is_said_what_to_do_and_posting_makes_a_key(roster, grant, partner_key):
    address = f"/applications/{grant.pk}/server"
    apps.add_key(grant)
    refused = get(address, partner_key)
    assert refused.status_code == 409
    assert refused.json()["status"] == 0
    assert "POST" in refused.json()["message"]
    made = Client().post(address, headers={"Authorization": f"Bearer {partner_key}"})
    assert made.status_code == 201
    server = made.json()["server"]
    token = token_of(apps.Key(0, server["client_id"], server["client_secret"], False))
    assert get(f"{V1P1}/schools", token).status_code == 200


def test_keys_are_not_made_without_end(grant, partner_key):
    address = f"/applications/{grant.pk}/server"
    ask = {"Authorization": f"Bearer {partner_key}"}
    statuses = [
        Client().post(address, headers=ask).status_code for _ in range(partner_access.MOST_MINTED + 1)
    ]
    assert statuses == [201] * partner_access.MOST_MINTED + [409]


def test_anothers_application_is_not_there(grant, partner_key):
    others = partners.add_partner("Tessivale")
    key = partners.make_key(others, "Theirs", "x@tessivale.example")[1]
    assert listed(key) == []
    assert get(f"/applications/{grant.pk}/server", key).status_code == 404
    assert get(f"/applications/{10**17}/server", partner_key).status_code == 404


@pytest.mark.parametrize("shown", ["", "rollbook_partner_nonsense"])
def test_a_stranger_learns_nothing(grant, shown: str):
    for address in ("/applications", f"/applications/{grant.pk}/server"):
        answer = get(address, shown)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_opens_nothing(grant, partner, partner_key):
    key = partners.keys_of(partner).get()
    partners.revoke_key(partner, key.pk, "ines@quorndle.example", timezone.now())
    assert get("/applications", partner_key).status_code == 401


def test_a_removed_app_is_no_longer_listed_nor_read(roster, grant, partner_key):
    [one] = listed(partner_key)
    Grant.objects.filter(pk=grant.pk).update(removed_at=timezone.now(), enabled=False)
    assert listed(partner_key) == []
    assert get(f"/applications/{grant.pk}{V1P1}/schools", one["bearer"]).status_code in (401, 403)


def test_what_is_read_by_a_bearer_stands_in_the_access_history(roster, grant, partner_key):
    [one] = listed(partner_key)
    get(f"/applications/{grant.pk}{V1P1}/schools", one["bearer"])
    access_log.flush()
    kept = AccessRow.objects.filter(grant_id=grant.pk)
    assert [(row.collection, row.status, row.records) for row in kept] == [("schools", 200, 2)]


def test_the_document_describes_what_is_answered(db):
    document = json.loads(get("/applications/openapi.json").content)
    assert set(document["paths"]) == {
        "/applications", "/applications/{id}/server", "/applications/{id}/ims/oneroster/{path}",
    }  # fmt: skip
    application = document["components"]["schemas"]["Application"]
    assert set(application["required"]) == set(application["properties"])


@contextmanager
def taken(grant: Grant) -> Iterator[None]:
    """Somebody else is writing, as an import does, and we do not wait for long."""
    began, may_end = Event(), Event()

    def write() -> None:
        try:
            with transaction.atomic():
                Grant.objects.select_for_update().get(pk=grant.pk)
                began.set()
                may_end.wait(30)
        finally:
            connection.close()

    impatient, patient = IMPATIENT[connection.vendor]
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            assert began.wait(30)
            cursor.execute(impatient)
            yield
        finally:
            cursor.execute(patient)
            may_end.set()
            writing.result()


@pytest.mark.django_db(transaction=True)
def test_a_list_that_cannot_be_made_now_is_asked_for_again(grant, partner_key):
    with taken(grant):
        refused = get("/applications", partner_key)
    assert (refused.status_code, refused["Retry-After"]) == (503, "10")
    assert refused.json()["status"] == 0
    assert "import" in refused.json()["message"]
    [one] = listed(partner_key)
    with taken(grant):
        assert listed(partner_key) == [one], "a bearer that was made is only read"
