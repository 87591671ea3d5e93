"""Those who work in the console sign in by a service of their own: who is recognised, who must not be, and what it opens when it is required."""

from datetime import UTC, datetime

import pytest

from rollbook.flows import administrators, audit, operators, sign_ins
from rollbook.flows.directory import add_organization, add_product
from rollbook.flows.districts import add_district
from rollbook.flows.own_sign_in import coming, setting_up
from rollbook.flows.signing_in.providers import ClientIdNeeded, IssuerNeeded, TenantNeeded
from rollbook.store.models import Account, District, DistrictSignIn, WorkIdentity

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
ISSUER = "https://login.riverbend.example"
EMAIL = "brandt@riverbend.example"


@pytest.fixture
def district(db: None) -> District:
    return add_district("Riverbend Unified School District")


@pytest.fixture
def own(district: District):
    about = {"issuer": ISSUER, "client_id": "rollbook", "domains": ["riverbend.example"]}
    return setting_up.switch(setting_up.keep(district, "any", **about), True)


@pytest.fixture
def brandt(district: District) -> Account:
    return operators.add_operator(EMAIL, operators.DISTRICT, district).account


def said(**more: object) -> dict[str, object]:
    return {"iss": ISSUER, "sub": "b-1", "email": EMAIL, "email_verified": True} | more


def come(own, signed_in: Account | None = None, **more: object):
    return coming.come(own, said(**more), NOW, "192.0.2.7", signed_in)


def test_who_works_here_is_recognised_by_a_vouched_address_and_then_by_their_sign_in(own, brandt):
    assert come(own).account == brandt
    assert come(own, email=None, email_verified=None).account == brandt
    assert WorkIdentity.objects.count() == 1
    own.refresh_from_db()
    assert own.tried_at == NOW


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"email": "tanaka@riverbend.example"}, "nobody"),
        ({"email_verified": False}, "nobody"),
        ({"email": "brandt@mail.example"}, "nobody"),
        ({"role": "student"}, "nobody"),
        ({"sub": ""}, "no-subject"),
    ],
)
def test_nobody_is_guessed_and_no_account_is_made(own, brandt, more, outcome):
    assert (come(own, **more).account, come(own, **more).outcome) == (None, outcome)
    assert Account.objects.count() == 1
    assert not WorkIdentity.objects.exists()


def test_a_second_sign_in_of_the_same_issuer_is_refused(own, brandt):
    come(own)
    assert come(own, sub="b-2").outcome == "second-subject"
    assert coming.forget(brandt) == 1
    assert come(own, sub="b-2").account == brandt


def test_a_tenant_that_was_not_declared_is_foreign_whatever_it_says(district, brandt):
    about = {"client_id": "rollbook", "domains": ["riverbend.example"], "tenants": ["8eaef023"]}
    own = setting_up.switch(setting_up.keep(district, "entra", **about), True)
    token = {"iss": own.issuer, "oid": "o-1", "email": EMAIL}
    assert coming.come(own, token | {"tid": "11111111"}, NOW).outcome == "foreign-tenant"
    assert coming.come(own, token | {"tid": "8eaef023"}, NOW).account == brandt


def test_it_opens_by_itself_nothing_that_is_not_its_owners(own, brandt, district):
    operators.add_operator(EMAIL, operators.DISTRICT, add_district("Cedar Valley Schools"))
    assert come(own).outcome == "elsewhere"
    assert come(own, signed_in=brandt).account == brandt
    operators.add_operator("root@riverbend.example", operators.INSTALLATION, None)
    assert come(own, sub="r-1", email="root@riverbend.example").outcome == "elsewhere"


def test_it_opens_no_organization_and_no_partners_pages_either(own, brandt):
    organization = add_organization(add_product("Reader"), "Riverbend")
    administrators.employ(organization.product, organization, EMAIL)
    assert come(own).outcome == "elsewhere"


def test_who_is_signed_in_is_not_shown_by_anothers_sign_in(own, brandt, district):
    other = operators.add_operator("tanaka@riverbend.example", operators.DISTRICT, district).account
    assert come(own, signed_in=other).outcome == "another"


def test_a_deactivated_account_and_a_service_that_is_switched_off_let_nobody_in(own, brandt):
    Account.objects.filter(pk=brandt.pk).update(is_active=False)
    assert come(own).outcome == "deactivated"
    Account.objects.filter(pk=brandt.pk).update(is_active=True)
    setting_up.switch(own, False)
    assert come(own).outcome == "disabled-provider"


def test_a_session_by_it_alone_ends_with_what_it_rests_on(own, brandt, district):
    assert coming.still_holds(brandt, own.key, ISSUER)
    assert not coming.still_holds(brandt, own.key, "https://other.example")
    second = operators.add_operator(EMAIL, operators.DISTRICT, add_district("Cedar Valley Schools"))
    assert not coming.still_holds(brandt, own.key, ISSUER)
    second.delete()
    setting_up.switch(own, False)
    assert not coming.still_holds(brandt, own.key, ISSUER)


def test_it_is_required_only_once_it_has_let_somebody_in_and_then_stays(own, brandt, district):
    with pytest.raises(setting_up.NotTriedYet):
        setting_up.require(district, True)
    come(own)
    setting_up.require(district, True)
    for undone in (
        lambda: setting_up.switch(own, False),
        lambda: setting_up.remove(own),
        lambda: setting_up.keep(district, "any", issuer="https://other.example"),
        lambda: setting_up.keep(district, "google", client_id="g", tenants=["riverbend.example"]),
    ):
        own.refresh_from_db()
        with pytest.raises(setting_up.IsRequired):
            undone()
    setting_up.keep(district, "any", client_secret="another")
    assert setting_up.the_own_of(district).tried_at == NOW
    setting_up.require(district, False)
    setting_up.remove(setting_up.the_own_of(district))
    assert not DistrictSignIn.objects.exists()


def test_required_shuts_the_pages_to_passwords_but_not_to_a_break_glass_account(own, brandt, district):
    assert not coming.bars(brandt, district, {})
    come(own)
    setting_up.require(district, True)
    root = operators.add_operator("root@example.org", operators.INSTALLATION, None)
    assert coming.bars(brandt, district, {})
    assert coming.bars(root.account, district, {})
    assert not coming.bars(brandt, district, {own.key: ISSUER})
    assert coming.bars(brandt, district, {own.key: "https://other.example"})
    root.is_break_glass = True
    root.save()
    assert not coming.bars(root.account, district, {})


@pytest.mark.parametrize(
    ("kind", "about", "refusal"),
    [
        ("any", {}, IssuerNeeded),
        ("entra", {"domains": ["riverbend.example"]}, TenantNeeded),
        ("any", {"issuer": ISSUER}, setting_up.DomainNeeded),
    ],
)
def test_it_is_not_set_up_wrongly(district, kind, about, refusal):
    with pytest.raises(refusal):
        setting_up.keep(district, kind, **about)
    assert setting_up.own_of(district) is None


def test_it_is_switched_on_only_once_it_knows_us(district):
    own = setting_up.keep(district, "any", issuer=ISSUER, domains=["riverbend.example"])
    with pytest.raises(ClientIdNeeded):
        setting_up.switch(own, True)


def test_services_are_found_by_the_domain_alone(own, db):
    organization = add_organization(add_product("Reader"), "Riverbend High", domains=["riverbend.example"])
    about = {"issuer": ISSUER, "client_id": "rollbook"}
    theirs = setting_up.keep(organization, "any", **about)
    assert setting_up.of_address("nobody@Riverbend.example") == [own]
    setting_up.switch(theirs, True)
    assert setting_up.of_address("nobody@riverbend.example") == [theirs, own]
    assert setting_up.of_address("nobody@mail.example") == []
    assert setting_up.of_address("riverbend") == []


def test_what_is_done_stands_in_the_districts_log_without_secrets(own, brandt, district):
    setting_up.keep(district, "any", client_secret="do not tell")
    come(own)
    come(own, sub="x", email="zoe@riverbend.example")
    sign_ins.pour()
    entries = audit.entries(district.pk, act="own_sign_in").order_by("number")
    told = [one.act.partition(".")[2] for one in entries]
    assert told == ["set", "switch_on", "set", "link", "keep_out"]
    assert "do not tell" not in "".join(f"{one.before}{one.after}" for one in entries)
