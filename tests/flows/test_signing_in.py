"""Members come in: matched by what is sure, with a seat and an account in one transaction; what is not sure is decided by people."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connections

from rollbook.engine.sync.policy import preset, written
from rollbook.flows import members
from rollbook.flows.directory import add_organization, add_product, add_site
from rollbook.flows.signing_in import attempts, entering, identities, providers, reviews, sessions
from rollbook.store.models import (
    Account,
    AuditEntry,
    AuditNote,
    Identity,
    IdentityProvider,
    Link,
    Member,
    Organization,
    Seat,
    SignInAttempt,
    SignInReview,
    SignInTrace,
    SyncConnection,
)

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
ISSUER, OTHER = "https://idp.example", "https://other.example"


@pytest.fixture
def organization(db) -> Organization:
    return add_organization(add_product("Reader"), "Riverbend", seats=1, domains=["school.example"])


@pytest.fixture
def roster(organization: Organization) -> SyncConnection:
    return SyncConnection.objects.create(
        organization=organization, name="District", source_kind="rest", policy=written(preset("classes-and-licences"))
    )  # fmt: skip


@pytest.fixture
def idp(organization: Organization, roster: SyncConnection) -> IdentityProvider:
    return a_provider(organization, connection=roster)


def a_provider(organization: Organization, issuer: str = ISSUER, **about) -> IdentityProvider:
    told = {"name": issuer[8:], "issuer": issuer, "client_id": "rollbook", "client_secret": "hush"} | about
    return providers.switch(providers.add_provider(organization, "any", **told), True)


def ana(organization: Organization, name: str = "Ana", *roles: str) -> Member:
    email = f"{name.lower()}@school.example"
    return members.add_member(organization, {"given_name": name, "email": email}, roles or ("student",))


def rostered(roster: SyncConnection, member: Member, source_id: str = "u1", **about) -> Link:
    return Link.objects.create(
        organization=member.organization, connection=roster, kind="members", source_id=source_id, target=str(member.id), linked_at=NOW, **about
    )  # fmt: skip


def come(idp: IdentityProvider, subject: str = "s-1", **said) -> entering.Entered:
    return entering.enter(idp, {"iss": idp.issuer, "sub": subject, **said}, NOW, "192.0.2.7")


def mail(member: Member) -> dict[str, object]:
    return {"email": member.email, "email_verified": True}


def test_the_first_sign_in_takes_a_seat_and_makes_an_account_without_an_address(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    entered = come(idp, sourcedId="u1")
    assert entered.is_in
    member.refresh_from_db()
    assert (member.state, member.account) == ("active", entered.account)
    assert (entered.account.email, entered.account.has_usable_password()) == (None, False)
    assert Seat.objects.filter(member_id=member.id, freed_at=None).count() == 1
    assert come(idp, sourcedId="u1").account == entered.account
    assert (Account.objects.count(), Identity.objects.count(), Seat.objects.count()) == (1, 1, 1)
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert {"identity.link", "member.activate"} <= acts


def test_a_second_provider_reaches_the_same_account(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    first = come(idp, sourcedId="u1")
    second = come(a_provider(organization, OTHER), "another", **mail(member))
    assert (second.is_in, second.account) == (True, first.account)
    assert {one.rung for one in identities.identities_of(member)} == {"sourced-id", "email"}


def test_a_second_subject_of_the_same_issuer_is_refused_and_people_decide(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    assert come(idp, sourcedId="u1").is_in
    refused = come(idp, "s-2", **mail(member))
    assert refused.outcome == "second-subject"
    review = reviews.waiting(organization).get()
    assert reviews.told(review)["email"] == member.email
    reviews.decide_link(review, member, NOW)
    assert come(idp, "s-2").is_in
    assert come(idp, "s-1", sourcedId="u1").outcome == "second-subject"
    assert SignInReview.objects.get(pk=review.pk).shown == ""
    with pytest.raises(reviews.NoSuchReview):
        reviews.dismiss(review, NOW)


def test_by_default_only_the_provider_that_rosters_takes_a_seat(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    other = a_provider(organization, OTHER)
    assert come(other, **mail(member)).outcome == "other-provider"
    assert (Identity.objects.count(), Seat.objects.count(), Account.objects.count()) == (0, 0, 0)
    providers.edit_provider(other, seats="always")
    assert come(other, **mail(member)).is_in


def test_who_may_take_no_seat_enters_only_who_is_active_already(roster, organization):
    member = ana(organization)
    never = a_provider(organization, seats="never")
    assert come(never, **mail(member)).outcome == "other-provider"
    members.activate(member, NOW)
    assert come(never, **mail(member)).is_in


def test_without_a_free_seat_nothing_is_linked(idp, roster, organization):
    one, two = ana(organization), ana(organization, "Ben")
    members.activate(one, NOW)
    rostered(roster, two, "u2")
    refused = come(idp, sourcedId="u2")
    assert refused.outcome == "no-seat"
    assert not Identity.objects.exists()
    kept = attempts.find_attempt(organization, refused.reference)
    assert [step["why"] for step in kept.steps][-1] == "no-seat"
    assert SignInReview.objects.count() == 0


def test_a_stale_sourced_id_is_known_by_the_links_history(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member, "old", ended_at=NOW, end_reason="rekey")
    rostered(roster, member, "fresh")
    assert come(idp, sourcedId="old").member == member
    assert come(idp, sourcedId="fresh").member == member
    assert SignInAttempt.objects.latest("at").rung in ("link", "sourced-id")


def test_an_id_that_was_given_to_somebody_else_is_no_history(idp, roster, organization):
    rostered(roster, ana(organization), "old", ended_at=NOW, end_reason="another-person")
    assert come(idp, sourcedId="old").outcome == "not-synced"


def test_who_signs_in_as_one_and_is_told_to_be_another_stays_who_they_are_and_is_looked_at(
    idp, roster, organization
):
    one, two = ana(organization), ana(organization, "Ben")
    rostered(roster, one)
    rostered(roster, two, "u2")
    assert come(idp, sourcedId="u1").is_in
    assert come(idp, sourcedId="u2").member == one
    review = reviews.waiting(organization).get()
    assert review.candidates == [one.id, two.id]
    reviews.dismiss(review, NOW)
    assert come(idp, sourcedId="u2").member == one
    assert not reviews.waiting(organization).exists()


def test_what_nobody_decided_in_ninety_days_is_forgotten(idp, organization):
    come(idp, name="Zoe")
    assert reviews.forget_old(NOW + timedelta(days=89)) == 0
    assert reviews.forget_old(NOW + timedelta(days=91)) == 1
    assert SignInReview.objects.get().shown == ""


def test_an_account_that_was_deactivated_opens_nothing(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    Account.objects.filter(pk=come(idp, sourcedId="u1").account.pk).update(is_active=False)
    assert come(idp, sourcedId="u1").outcome == "suspended"


def test_a_foreign_tenant_is_refused_whoever_it_names(roster, organization):
    member = ana(organization)
    shared = a_provider(organization, names={"tenant": "district"}, tenants=["17"])
    assert come(shared, district=18, **mail(member)).outcome == "foreign-tenant"
    assert come(shared, **mail(member)).outcome == "foreign-tenant"
    assert reviews.waiting(organization).count() == 0
    members.activate(member, NOW)
    assert come(shared, district=17, **mail(member)).is_in
    with pytest.raises(providers.TenantNeeded):
        providers.edit_provider(shared, tenants=[])


def test_nobody_is_looked_for_among_another_organizations_members(idp, organization):
    other = add_organization(organization.product, "Southwind", domains=["school.example"])
    member = ana(other)
    assert come(idp, **mail(member)).outcome == "unknown"


def test_a_session_ends_with_what_it_rests_on(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    entered = come(idp, sourcedId="u1")

    def is_in() -> bool:
        try:
            return sessions.member_of(entered.account, organization.pk, entered.identity.pk) == member
        except sessions.NotInAnyMore:
            return False

    assert is_in()
    member.refresh_from_db()
    members.archive(member)
    assert not is_in()
    members.restore(member)
    Member.objects.filter(organization=organization, id=member.id).update(state="suspended")
    assert not is_in()
    Member.objects.filter(organization=organization, id=member.id).update(state="active")
    assert is_in()
    providers.switch(idp, False)
    assert not is_in()
    providers.switch(idp, True)
    identities.end(entered.identity, NOW)
    assert not is_in()


def test_what_was_tried_is_found_by_whoever_knows_the_person_and_names_nobody(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    refused = come(idp, "s-9", preferred_username="zoe", email="zoe@mail.example", email_verified=True)
    assert come(idp, sourcedId="u1").is_in
    for told in (refused.reference.lower(), "ZOE@mail.example", "zoe", "s-9"):
        assert [one.outcome for one in attempts.search(organization, told)[1]] == ["unknown"]
    for told in ("Ana", member.email, str(member.id), "u1"):
        found, tried = attempts.search(organization, told)
        assert ([one.id for one in found], [one.outcome for one in tried]) == ([member.id], ["in"])
    kept = str(list(SignInAttempt.objects.values())) + str(list(SignInTrace.objects.values()))
    kept += str(list(AuditNote.objects.values())) + str(list(AuditEntry.objects.values()))
    for personal in ("zoe", "mail.example", "ana@", "u1'"):
        assert personal not in kept
    assert attempts.prune(NOW + timedelta(days=91)) == 2
    assert not SignInTrace.objects.exists()


def test_who_works_at_one_site_finds_the_attempts_of_its_people_alone(idp, roster, organization):
    north, south = add_site(organization, "North"), add_site(organization, "South")
    one = members.add_member(organization, {"given_name": "Ana"}, ["student"], [north])
    two = members.add_member(organization, {"given_name": "Ana"}, ["student"], [south])
    rostered(roster, one)
    rostered(roster, two, "u2")
    come(idp, sourcedId="u1")
    come(idp, "s-2", sourcedId="u2")
    lost = come(idp, "s-3")
    found, tried = attempts.search(organization, "Ana", frozenset({north.id}))
    assert ([each.id for each in found], len(tried)) == ([one.id], 1)
    assert len(attempts.latest(organization)) == 3
    with pytest.raises(attempts.NoSuchAttempt):
        attempts.find_attempt(organization, lost.reference, frozenset({north.id}))


def test_trying_a_provider_out_shows_who_would_be_matched_and_changes_nothing(idp, roster, organization):
    member = ana(organization)
    rostered(roster, member)
    tried = entering.rehearse(idp, {"iss": ISSUER, "sub": "s-1", "sourcedId": "u1", **mail(member)})
    assert (tried.would, tried.decision.member) == ("seat", member.id)
    assert dict(tried.claims)["email"] == "a…@school.example"
    assert [one.objects.count() for one in (Identity, SignInAttempt, Account)] == [0, 0, 0]


def test_a_secret_is_kept_encrypted_and_told_to_nobody(idp, organization):
    providers.edit_provider(idp, client_secret="another hush", name="Sign in")
    providers.edit_provider(idp, client_secret="")
    assert IdentityProvider.objects.get(pk=idp.pk).client_secret == "another hush"
    assert "hush" not in str(list(AuditEntry.objects.values_list("before", "after")))


@pytest.mark.parametrize(
    ("about", "refusal"),
    [
        ({"issuer": ""}, providers.IssuerNeeded),
        ({"rungs": ["name"]}, providers.NoSuchRung),
        ({"names": {"email": "x"}}, providers.NoSuchClaimName),
        ({"seats": "sometimes"}, providers.NoSuchSeats),
        ({"connection": 999}, providers.NotARosterOfIt),
        ({"name": "idp.example"}, providers.ProviderExists),
    ],
)
def test_a_provider_is_not_set_up_wrongly(idp, organization, about, refusal):
    told = {"name": "Two", "issuer": OTHER, "client_id": "x"} | about
    with pytest.raises(refusal):
        providers.add_provider(organization, "any", **told)


def test_a_provider_lets_nobody_in_before_it_knows_us(organization):
    made = providers.add_provider(organization, "any", issuer=OTHER)
    with pytest.raises(providers.ClientIdNeeded):
        providers.switch(made, True)
    providers.switch(providers.edit_provider(made, client_id="x"), True)
    with pytest.raises(providers.ClientIdNeeded):
        providers.edit_provider(made, client_id=" ")


@pytest.mark.django_db(transaction=True)
def test_the_last_seat_raced_by_twenty_first_sign_ins_is_one_persons():
    organization = add_organization(add_product("Reader"), "Riverbend", seats=1, domains=["school.example"])
    people = [ana(organization, f"p{number}") for number in range(20)]
    idp = a_provider(organization)
    together = Barrier(len(people))

    def sign_in(member: Member) -> str:
        together.wait(timeout=60)
        try:
            return come(
                IdentityProvider.objects.select_related("organization__product", "connection").get(pk=idp.pk),
                f"s-{member.id}",
                **mail(member),
            ).outcome
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = sorted(pool.map(sign_in, people))
    assert outcomes == ["in", *["no-seat"] * 19]
    organization.refresh_from_db()
    assert (organization.seats_taken, Seat.objects.count(), Identity.objects.count()) == (1, 1, 1)
    assert (Account.objects.count(), SignInAttempt.objects.count()) == (1, 20)


@pytest.mark.django_db(transaction=True)
def test_one_person_in_two_windows_at_once_is_one_sign_in():
    organization = add_organization(add_product("Reader"), "Riverbend", domains=["school.example"])
    member, idp = ana(organization), a_provider(organization)
    together = Barrier(4)

    def sign_in(_: int) -> str:
        together.wait(timeout=60)
        try:
            return come(
                IdentityProvider.objects.select_related("organization__product", "connection").get(pk=idp.pk),
                **mail(member),
            ).outcome
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sign_in, range(4))) == ["in"] * 4
    assert (Identity.objects.count(), Seat.objects.count(), Account.objects.count()) == (1, 1, 1)
