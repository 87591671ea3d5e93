"""Keys at both sign-ins and at every use: two secrets while one is renewed, an end, addresses; and an app's daily allowance."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from rollbook.api import access_log
from rollbook.flows import access_history, apps, keys
from rollbook.store.models import AccessRow, Credential, DailyUse, Grant, KeyUse
from tests.api.calls import V1P1, ask_token, basic, get, get_signed, token_of

USERS = f"{V1P1}/users"


def sign_in(key: apps.Key, **more: str):
    return ask_token({"grant_type": "client_credentials"}, **basic(key), **more)


def with_secret(key: apps.Key, secret: str) -> apps.Key:
    return apps.Key(key.credential_id, key.client_id, secret, True)


def stored(key: apps.Key) -> Credential:
    return keys.find_key(key.client_id)


def test_two_secrets_hold_while_one_is_renewed_at_both_sign_ins(roster, key):
    renewed = keys.renew_secret(stored(key), timedelta(hours=1))
    assert renewed.client_id == key.client_id
    for one in (key, renewed):
        assert sign_in(one).status_code == 200
        assert get_signed(one, USERS).status_code == 200
    assert sign_in(with_secret(key, "wrong")).status_code == 401
    Credential.objects.update(former_until=timezone.now() - timedelta(seconds=1))
    assert sign_in(key).status_code == 401
    assert get_signed(key, USERS).status_code == 401
    assert sign_in(renewed).status_code == 200
    assert get_signed(renewed, USERS).status_code == 200


def test_a_secret_may_end_at_once_and_a_former_one_by_itself(roster, key):
    second = keys.renew_secret(stored(key), timedelta(0))
    assert sign_in(key).status_code == 401
    third = keys.renew_secret(stored(key), timedelta(hours=1))
    keys.end_former_secret(stored(key))
    assert sign_in(second).status_code == 401
    assert get_signed(second, USERS).status_code == 401
    assert sign_in(third).status_code == 200


def test_only_so_long_may_two_hold(roster, key):
    with pytest.raises(keys.BadOverlap):
        keys.renew_secret(stored(key), timedelta(days=31))


def test_an_expired_key_gets_no_token_and_its_tokens_and_signatures_open_nothing(roster, key, token):
    keys.set_end(stored(key), timezone.now() + timedelta(hours=1))
    assert get(USERS, token).status_code == 200
    Credential.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sign_in(key).status_code == 401
    assert get(USERS, token).status_code == 403
    assert get_signed(key, USERS).status_code == 403
    keys.set_end(stored(key), None)
    assert get(USERS, token).status_code == 200


def test_a_key_may_be_used_from_its_addresses_only(roster, key, token):
    keys.set_addresses(stored(key), ["203.0.113.0/24", "2001:db8::/32"])
    refused = sign_in(key)
    assert refused.status_code == 403
    assert "address" in refused.json()["error_description"]
    assert get(USERS, token).status_code == 403
    assert get_signed(key, USERS).status_code == 403
    at_home = Client(REMOTE_ADDR="203.0.113.9", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert at_home.get(USERS).status_code == 200
    mapped = Client(REMOTE_ADDR="::ffff:203.0.113.9", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert mapped.get(USERS).status_code == 200
    keys.set_addresses(stored(key), [])
    assert get(USERS, token).status_code == 200


@pytest.mark.parametrize("text", ["everywhere", "203.0.113.0/33", "", "203.0.113.7/24/2"])
def test_what_is_no_network_is_refused(grant, text: str):
    with pytest.raises(keys.NotANetwork):
        keys.add_key(grant, addresses=[text])
    assert not Credential.objects.exists()


def test_the_last_use_of_a_key_is_kept(roster, key, token):
    assert keys.standing_of(stored(key)).used_at is None
    get(USERS, token)
    access_log.flush()
    get(USERS, token)
    access_log.flush()
    standing = keys.standing_of(stored(key))
    assert standing.used_at == AccessRow.objects.latest("at").at
    assert standing.used_from == "127.0.0.1"
    assert KeyUse.objects.count() == 1


# --- Allowances --------------------------------------------------------------------------------------------------------------------


def test_an_app_takes_as_many_requests_a_day_as_it_is_allowed(roster, grant, token):
    access_history.set_allowance(grant, 2, None)
    assert [get(USERS, token).status_code for _ in range(3)] == [200, 200, 429]
    access_log.flush()
    refused = get(USERS, token)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 86_400
    access_log.flush()
    assert DailyUse.objects.get().requests == 2  # what was refused for its number is not counted
    access_history.set_allowance(Grant.objects.get(pk=grant.pk), 3, None)
    assert get(USERS, token).status_code == 200


def test_an_app_takes_no_more_pages_once_its_records_are_used_up(roster, grant, token):
    access_history.set_allowance(grant, None, 7)
    statuses = [get(f"{USERS}?limit=5&offset={offset}", token).status_code for offset in (0, 5, 10)]
    assert statuses == [200, 200, 429]


def test_another_day_begins_at_nothing_and_another_app_is_not_touched(roster, grant, token, district):
    access_history.set_allowance(grant, 1, None)
    other = token_of(apps.add_key(apps.grant_app(district, apps.add_app("Other App"), "full", [])))
    get(USERS, token)
    access_log.flush()
    assert get(USERS, token).status_code == 429
    assert get(USERS, other).status_code == 200
    DailyUse.objects.update(day=1)
    assert get(USERS, token).status_code == 200


def test_an_allowance_is_a_number_from_one_on(grant):
    with pytest.raises(access_history.NotAnAllowance):
        access_history.set_allowance(grant, 0, None)
