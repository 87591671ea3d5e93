"""The pages of keys, of accesses, of who received a person, and the audit log."""

import csv
import io
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from rollbook.flows import apps, audit, keys, operators
from rollbook.flows.publish import publish
from rollbook.store.models import AccessRow, Credential, DailyUse, Grant
from tests.console.conftest import PASSWORD
from tests.console.test_dashboard import text_of


@pytest.fixture
def grant(district) -> Grant:
    return apps.grant_app(district, apps.add_app("Reading App", "Maple Press"), "full", [], enabled=True)


def url(page: str, grant: Grant, **more: object) -> str:
    return reverse(page, kwargs={"tenant": grant.district_id, "grant_id": grant.pk, **more})


def turn(client: Client, grant: Grant, key: keys.Key, what: str, **form: str):
    wanted = {"key_id": key.credential_id, "turn": what}
    return client.post(url("app-key-turn", grant, **wanted), form)


def secret_on(page) -> str:
    found = re.search(r'<code id="client-secret">([^<]+)<', page.content.decode())
    return found[1] if found else ""


def accesses(grant: Grant, number: int, **about: object) -> None:
    now = int(timezone.now().timestamp() * 1000)
    AccessRow.objects.bulk_create(
        AccessRow(
            **{
                "district_id": grant.district_id, "grant_id": grant.pk, "grant_version": 1, "credential_id": 1, "at": now - one,
                "publication": 1, "version": "1.1", "collection": "users", "status": 200, "records": 5, **about,
            }
        )
        for one in range(number)
    )  # fmt: skip


def test_a_key_is_made_its_secret_shown_once_and_the_page_says_what_the_app_needs(console, grant):
    made = console.post(url("app-key-add", grant), {"name": "Server", "addresses": "203.0.113.0/24\n"})
    secret = secret_on(made)
    assert len(secret) > 30
    assert "no-store" in made.headers["cache-control"]
    listed = console.get(url("app-keys", grant)).content.decode()
    key = Credential.objects.get()
    for shown in (key.client_id, "203.0.113.0/24", "/ims/oneroster/v1p1", "/oauth2/token", "roster.readonly"):
        assert shown in listed
    assert f"<code>{grant.district_id}</code>" in listed
    assert secret not in listed
    assert secret not in console.get(url("app-key", grant, key_id=key.pk)).content.decode()


def test_a_wrong_address_is_refused_and_nothing_is_made(console, grant):
    page = console.post(url("app-key-add", grant), {"name": "Server", "addresses": "somewhere"})
    assert page.status_code == 422
    assert "somewhere" in page.content.decode()
    assert not Credential.objects.exists()


def test_a_new_secret_leaves_the_former_one_for_a_while(console, grant):
    key = keys.add_key(grant)
    page = turn(console, grant, key, "renew", keep="24")
    assert secret_on(page) not in ("", key.client_secret)
    assert "The former secret still holds until" in page.content.decode()
    assert "Two secrets hold" in console.get(url("app-keys", grant)).content.decode()
    turn(console, grant, key, "end-former")
    assert "Two secrets hold" not in console.get(url("app-keys", grant)).content.decode()


def test_a_secret_is_shown_again_to_who_knows_their_password_and_both_are_audited(console, grant):
    key = keys.add_key(grant, oauth1=True)
    refused = turn(console, grant, key, "secret", password="not mine")
    assert refused.status_code == 422
    assert key.client_secret not in refused.content.decode()
    assert secret_on(turn(console, grant, key, "secret", password=PASSWORD)) == key.client_secret
    last = audit.entries(grant.district_id, act="key")[:2]
    assert [(one.act, one.actor) for one in last] == [
        ("key.show_secret", "brandt@riverbend.example"),
        ("key.show_secret_refused", "brandt@riverbend.example"),
    ]


def test_the_secret_of_a_key_without_oauth1_cannot_be_shown(console, grant):
    key = keys.add_key(grant)
    page = turn(console, grant, key, "secret", password=PASSWORD)
    assert page.status_code == 422
    assert "New secret" in page.content.decode()


def test_an_end_is_a_day_of_the_district_and_can_be_taken_away(console, grant):
    key = keys.add_key(grant)
    day = timezone.localdate() + timedelta(days=3)
    turn(console, grant, key, "expire", ends=day.isoformat())
    ends = Credential.objects.get().expires_at
    assert ends.astimezone(timezone.get_fixed_timezone(0)).hour in (5, 6)  # midnight in Chicago
    assert turn(console, grant, key, "expire", ends="2001-01-01").status_code == 422
    turn(console, grant, key, "expire", ends="")
    assert Credential.objects.get().expires_at is None


def test_a_key_is_revoked_and_its_page_offers_nothing_more(console, grant):
    key = keys.add_key(grant)
    turn(console, grant, key, "revoke")
    page = console.get(url("app-key", grant, key_id=key.credential_id)).content.decode()
    assert "Revoked" in page
    assert "Make a new secret" not in page


def test_a_key_of_another_app_is_not_there(console, grant, district):
    other = apps.grant_app(district, apps.add_app("Other"), "full", [])
    key = keys.add_key(other)
    assert turn(console, grant, key, "revoke").status_code == 404
    assert Credential.objects.get().revoked_at is None


# --- Accesses and people -------------------------------------------------------------------------------------------------------------


def test_the_history_shows_every_call_a_page_at_a_time_and_only_bad_ones_where_asked(console, grant):
    accesses(grant, 60)
    accesses(grant, 1, status=403, address="203.0.113.9")
    page = console.get(url("app-access", grant)).content.decode()
    assert "61 accesses" in page
    assert page.count('<td role="cell" data-label="When">') == 50
    bad = console.get(url("app-access", grant), {"bad": "on"}).content.decode()
    assert bad.count('<td role="cell" data-label="When">') == 1
    assert "203.0.113.9" in bad
    lines = list(csv.reader(io.StringIO(b"".join(console.get(url("app-access-csv", grant))).decode())))
    assert len(lines) == 62


def test_days_are_named_as_utc_has_them_whatever_the_districts_clock_says(console, grant):
    page = console.get(url("app-access", grant)).content.decode()
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert f'<td role="cell">{date_format(yesterday, "DATE_FORMAT")}</td>' in page


def test_an_allowance_is_set_and_shown_and_what_is_none_is_said(console, grant):
    answer = console.post(url("app-allowance", grant), {"requests": "1000", "records": ""}, follow=True)
    assert "1,000" in answer.content.decode()
    grant.refresh_from_db()
    assert (grant.daily_requests, grant.daily_records) == (1000, None)
    DailyUse.objects.create(grant_id=grant.pk, day=int(time.time()) // 86_400, requests=40, records=12_345)
    text = text_of(console.get(url("app", grant)))
    assert "Taken today (UTC) 40 / 1,000 requests, 12,345 records" in text
    refused = console.post(url("app-allowance", grant), {"requests": "many"})
    assert refused.status_code == 422
    grant.refresh_from_db()
    assert grant.daily_requests == 1000


def test_a_privacy_officer_looks_up_who_received_a_pupil_and_takes_a_file(ids, grant, district, signed_in):
    client = signed_in(operators.add_operator("p@riverbend.example", operators.PRIVACY, district).account)
    publish(district.pk, None, "a test")
    accesses(grant, 2)
    found = client.get(reverse("disclosures", kwargs={"tenant": district.pk}), {"q": "student-001"})
    page = client.get(found.url).content.decode()
    assert "Reading App" in page
    assert "2 calls" in page
    assert "birthDate" not in page
    lines = list(csv.reader(io.StringIO(client.get(f"{found.url}/export").content.decode())))
    assert [line[0] for line in lines] == ["app", "Reading App"]
    looked = audit.entries(district.pk, act="disclosure")
    assert {(one.actor, one.object) for one in looked} == {("p@riverbend.example", "student-001")}
    nobody = client.get(
        reverse("disclosures", kwargs={"tenant": district.pk}), {"q": "stud"}
    ).content.decode()
    assert "Nobody of that id" in nobody


# --- The audit log -----------------------------------------------------------------------------------------------------------------


def test_the_log_is_shown_searched_exported_and_checked(console, grant, district):
    place = {"tenant": district.pk}
    keys.add_key(grant, name="Server of Maple Press")
    page = console.get(reverse("audit", kwargs=place)).content.decode()
    assert "Made a key" in page
    assert "Server of Maple Press" in page
    narrowed = console.get(reverse("audit", kwargs=place), {"act": "operator"}).content.decode()
    assert "Made a key" not in narrowed.split("</form>")[-1]
    exported = b"".join(console.get(reverse("audit-export", kwargs=place), {"act": "key"})).decode()
    assert [line["act"] for line in csv.DictReader(io.StringIO(exported))] == ["key.add"]
    assert audit.entries(district.pk)[0].act == "audit.export"
    sound = console.post(reverse("audit-verify", kwargs=place)).content.decode()
    assert "none was changed" in sound
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_auditentry SET actor = 'nobody' WHERE district_id = %s AND number = 2",
            [district.pk],
        )
    assert "was tampered with" in console.post(reverse("audit-verify", kwargs=place)).content.decode()


def test_the_installations_own_log_is_for_its_operators(console, installer, signed_in, grant):
    page = signed_in(installer).get(reverse("installation-audit"))
    assert "Reading App" in page.content.decode()
    assert console.get(reverse("installation-audit")).status_code == 404
    assert signed_in(installer).post(reverse("installation-audit-verify")).status_code == 200
