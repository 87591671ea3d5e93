"""The access rows: what is kept of each call, when it is written, and what happens when it cannot be."""

import threading
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections
from django.test import Client

from rollbook.api import access_log
from rollbook.client_address import client_address
from rollbook.environment import envnetworks
from rollbook.flows import apps
from rollbook.store.models import AccessRow, District
from tests.api.calls import SCOPES, V1P1, V1P2, get, token_of


def written() -> list[AccessRow]:
    access_log.flush()
    return list(AccessRow.objects.order_by("id"))


def test_a_row_says_who_read_what_and_how_much(token, grant, key):
    condition = quote("givenName='Colin Robert'", safe="")
    get(f"{V1P2}/users?filter={condition}&offset=0&fields=sourcedId", token)
    get(f"{V1P1}/schools/school-north/students?limit=3&offset=6", token)
    get(f"{V1P1}/users/student-1", token)
    first, second, third = written()
    district = District.objects.get()
    assert (first.district_id, first.grant_id, first.grant_version) == (district.pk, grant.pk, grant.version)
    assert (first.credential_id, first.publication) == (key.credential_id, district.publication)
    assert (first.version, first.collection, first.fields) == ("1.2", "users", "sourcedId")
    assert first.query == "filter=givenName='Colin Robert'"
    assert (first.status, first.offset, first.records) == (200, 0, 4)
    assert second.collection == "schools/{schoolSourcedId}/students"
    assert second.query == "schoolSourcedId=school-north"
    assert (second.offset, second.records, second.address) == (6, 3, "127.0.0.1")
    assert (third.collection, third.query, third.records) == ("users/{sourcedId}", "sourcedId=student-1", 1)


def test_refusals_of_those_who_are_known_are_kept_too(roster, token, key, grant):
    get(f"{V1P1}/users/nobody", token)
    get(f"{V1P1}/users?limit=0", token)
    get(f"{V1P2}/demographics", token_of(key, f"{SCOPES}roster.readonly"))
    apps.disable(grant)
    get(f"{V1P1}/users", token)
    assert [(row.status, row.records) for row in written()] == [(404, 0), (400, 0), (403, 0), (403, 0)]


def test_what_was_known_already_counts_no_records(token):
    tag = get(f"{V1P1}/orgs", token)["ETag"]
    get(f"{V1P1}/orgs", token, **{"If-None-Match": tag})
    assert [(row.status, row.records) for row in written()] == [(200, 3), (304, 0)]


def test_strangers_leave_no_row(roster):
    get(f"{V1P1}/users")
    get(f"{V1P1}/users", "nonsense")
    assert written() == []


def test_no_token_is_ever_in_a_row(token):
    get(f"{V1P1}/users", token)
    assert token not in repr([vars(row) for row in written()])


def test_a_query_of_any_length_and_content_is_kept_in_part(token):
    get(f"{V1P1}/users?x=%00%ff&filter={'a' * 5000}", token)
    [row] = written()
    assert row.status == 400
    assert len(row.query) == access_log.MOST_TEXT
    assert "\0" not in row.query


def test_rows_wait_while_the_database_cannot_take_them(token):
    get(f"{V1P1}/users", token)
    with connections[AccessRow.objects.db].execute_wrapper(broken):
        access_log.flush()
    assert AccessRow.objects.count() == 0
    assert len(written()) == 1


def broken(execute, statement, parameters, many, context):
    if "store_accessrow" in statement:
        raise OperationalError("no room")
    return execute(statement, parameters, many, context)


def test_rows_that_the_database_refuses_do_not_hold_up_the_others(token, caplog):
    get(f"{V1P1}/users", token)
    access_log._waiting[0] = (None, *access_log._waiting[0][1:])
    access_log.flush()
    assert "1 access rows are lost" in caplog.text
    get(f"{V1P1}/users", token)
    assert len(written()) == 1


def test_many_threads_may_write_at_once_and_nothing_is_lost(token):
    get(f"{V1P1}/users", token)
    row = access_log._waiting[0]
    threads = [threading.Thread(target=access_log._waiting.extend, args=([row] * 1_000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written()) == 4_001


# --- Where a call comes from -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connection", "forwarded", "trusted", "address"),
    [
        ("203.0.113.9", "", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.7, 198.51.100.1, 10.2.3.4", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.0/8", "10.0.0.1"),
        ("::1", "2001:db8::7", "::1,10.0.0.1", "2001:db8::7"),
        ("fe80::1%eth0", "", "", "fe80::1"),
        ("", "198.51.100.1", "", None),
    ],
)
def test_a_proxy_is_believed_only_when_the_settings_name_it(
    settings, connection, forwarded, trusted, address
):
    settings.TRUSTED_PROXIES = networks(trusted)
    assert client_address({"REMOTE_ADDR": connection, "HTTP_X_FORWARDED_FOR": forwarded}) == address


def networks(text: str):
    return envnetworks("ROLLBOOK_TRUSTED_PROXIES", environ={"ROLLBOOK_TRUSTED_PROXIES": text})


def test_a_word_that_is_no_network_is_refused_by_name():
    with pytest.raises(ImproperlyConfigured, match="ROLLBOOK_TRUSTED_PROXIES.*10.0.0.0/8"):
        networks("the proxy")


def test_the_address_of_a_call_behind_a_trusted_proxy_is_kept(token, settings):
    settings.TRUSTED_PROXIES = networks("127.0.0.1")
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.1, 198.51.100.7"}
    Client().get(f"{V1P1}/orgs", headers=headers)
    assert [row.address for row in written()] == ["198.51.100.7"]
