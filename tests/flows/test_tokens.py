"""Operators' tokens: shown once, kept as a checksum, worth what their operator is worth."""

from datetime import UTC, datetime, timedelta

import pytest

from rollbook.flows import operators
from rollbook.flows.tokens import (
    BadLifetime,
    NameNeeded,
    NoSuchToken,
    NotAnOperatorThere,
    find_token,
    make_token,
    note_use,
    revoke_token,
    token_of,
    tokens_of,
)
from rollbook.store.models import Account, District, OperatorToken
from tests.delivered import a_district

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def district() -> District:
    return a_district()


@pytest.fixture
def account(district: District) -> Account:
    return operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district).account


def test_a_token_opens_its_district_and_is_kept_nowhere(account, district):
    token, secret = make_token(account, district, "Nightly upload", NOW)
    assert token_of(secret, NOW) == token
    [row] = OperatorToken.objects.values()
    assert secret not in str(row)
    assert secret.startswith(row["beginning"])
    assert token_of(f"{secret}x", NOW) is None


def test_a_token_ends_with_its_time(account, district):
    _, secret = make_token(account, district, "Nightly upload", NOW, days=1)
    assert token_of(secret, NOW + timedelta(hours=23))
    assert token_of(secret, NOW + timedelta(hours=24)) is None


def test_a_revoked_token_opens_nothing_and_is_not_listed(account, district):
    token, secret = make_token(account, district, "Nightly upload", NOW)
    revoke_token(token, "brandt@riverbend.example", NOW)
    assert token_of(secret, NOW) is None
    assert tokens_of(district) == []
    with pytest.raises(NoSuchToken):
        find_token(token.pk)


def test_a_token_ends_with_its_operators_work(account, district):
    _, secret = make_token(account, district, "Nightly upload", NOW)
    operators.deactivate(account, by=None)
    assert token_of(secret, NOW) is None
    operators.reactivate(account)
    assert token_of(secret, NOW)
    account.operators.all().delete()
    assert token_of(secret, NOW) is None


def test_an_installation_operator_may_have_a_token_for_any_district(district):
    account = operators.add_operator("root@example.org", operators.INSTALLATION, None).account
    _, secret = make_token(account, district, "Migration", NOW)
    assert token_of(secret, NOW).district == district


def test_last_use_is_noted_to_the_minute(account, district):
    token, _ = make_token(account, district, "Nightly upload", NOW)
    assert tokens_of(district) == [(token, None)]
    note_use(token, NOW)
    note_use(token, NOW + timedelta(seconds=30))
    assert tokens_of(district) == [(token, NOW)]
    note_use(token, NOW + timedelta(seconds=90))
    assert tokens_of(district) == [(token, NOW + timedelta(seconds=90))]


def test_what_cannot_be_made_is_refused(account, district):
    with pytest.raises(NameNeeded):
        make_token(account, district, " ", NOW)
    for days in (0, 731):
        with pytest.raises(BadLifetime):
            make_token(account, district, "x", NOW, days)
    with pytest.raises(NotAnOperatorThere):
        make_token(account, a_district("Cedar Falls"), "x", NOW)
    token, _ = make_token(account, district, "x", NOW)
    with pytest.raises(NoSuchToken):
        find_token(token.pk, a_district("Elm Creek"))
