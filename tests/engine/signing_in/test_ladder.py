"""The ladder, rung by rung: who is recognised, who is not, and who is asked about. Every line is one sign-in."""

from dataclasses import replace

import pytest

from rollbook.engine.signing_in.claims import PUPIL, STAFF, Claims
from rollbook.engine.signing_in.ladder import (
    CHOSEN,
    EMAIL,
    IDENTIFIER,
    LINK,
    NOBODY,
    OUTCOMES,
    REASONS,
    REVIEW,
    SOURCED_ID,
    TENANT,
    USERNAME,
    YES,
    Candidate,
    Decision,
    Known,
    Trust,
    climb,
)

CLAIMS = Claims("https://idp.example", "s-1", "17")
TRUST = Trust(
    "https://idp.example", frozenset({"17"}), frozenset({"school.example"}), frozenset(CHOSEN), True
)
ANA, BEN = Candidate(1, role=STAFF), Candidate(2, role=STAFF)
MAILED = {"email": "ana@school.example", "email_verified": True}
GONE = replace(ANA, state="archived")


def at(rung: str, *who: Candidate, **more: object) -> dict[str, object]:
    return {"by": {rung: who}, "rostered": True} | more


WAYS: list[tuple[str, dict[str, object], dict[str, object], dict[str, object], str]] = [
    # what is said, claims, who is known, trust → rung:member, or rung:outcome
    ("an undeclared tenant is foreign, whoever else answers",
     {"tenant": "18", "sourced_id": "a"}, at(SOURCED_ID, ANA), {}, "tenant:foreign-tenant"),
    ("a tenant is its text: 017 is not 17", {"tenant": "017", "sourced_id": "a"}, at(SOURCED_ID, ANA), {}, "tenant:foreign-tenant"),
    ("a blank tenant is foreign where many share the issuer", {"tenant": " "}, {}, {}, "tenant:foreign-tenant"),
    ("a blank tenant is foreign also where nobody declared one", {"tenant": ""}, {}, {"tenants": frozenset()}, "tenant:foreign-tenant"),
    ("another issuer is foreign", {"issuer": "https://evil.example"}, {"linked": ANA}, {}, "tenant:foreign-tenant"),
    ("an issuer that is one tenant needs none",
     {"tenant": "", "sourced_id": "a"}, at(SOURCED_ID, ANA), {"tenants": frozenset(), "needs_tenant": False}, "sourced-id:1"),
    ("without a subject nobody comes in", {"subject": " ", "sourced_id": "a"}, at(SOURCED_ID, ANA), {}, "tenant:no-subject"),
    ("a link is surer than every claim", {"sourced_id": "b"}, at(SOURCED_ID, BEN, linked=ANA), {}, "link:1"),
    ("a link leads to who was archived, and no further", {"sourced_id": "b"}, at(SOURCED_ID, BEN, linked=GONE), {}, "link:archived"),
    ("a sourcedId is its bytes", {"sourced_id": "a"}, at(SOURCED_ID, ANA), {}, "sourced-id:1"),
    ("a blank sourcedId matches nobody, not even another", {"sourced_id": "  "}, at(SOURCED_ID, ANA), {}, "review:unknown"),
    ("a stale sourcedId is who it was", {"sourced_id": "old"}, at(SOURCED_ID, replace(ANA, former=True)), {}, "sourced-id:1"),
    ("two who answer to a sourcedId are not chosen between", {"sourced_id": "a"}, at(SOURCED_ID, ANA, BEN), {}, "sourced-id:ambiguous"),
    ("who is archived is not let in by a weaker rung",
     {"sourced_id": "a", **MAILED}, {"by": {SOURCED_ID: (GONE,), EMAIL: (BEN,)}, "rostered": True}, {}, "sourced-id:archived"),
    ("without a roster its sourcedIds mean nothing", {"sourced_id": "a"}, at(SOURCED_ID, ANA, rostered=False), {}, "review:unknown"),
    ("an identifier recognises", {"identifier": "9"}, at(IDENTIFIER, ANA), {}, "identifier:1"),
    ("two with one identifier are not chosen between", {"identifier": "9"}, at(IDENTIFIER, ANA, BEN), {}, "identifier:ambiguous"),
    ("the living one of two has the identifier", {"identifier": "9"}, at(IDENTIFIER, GONE, BEN), {}, "identifier:2"),
    ("numbers of staff and pupils are two things", {"identifier": "9", "role": PUPIL}, at(IDENTIFIER, ANA), {}, "review:unknown"),
    ("a username recognises where it is declared", {"username": "ana"}, at(USERNAME, ANA), {}, "username:1"),
    ("a username means nothing where it is not", {"username": "ana"}, at(USERNAME, ANA), {"rungs": frozenset({EMAIL})}, "review:unknown"),
    ("a vouched address of a declared domain recognises", MAILED, at(EMAIL, ANA), {}, "email:1"),
    ("the domain is compared without case", {**MAILED, "email": "ana@SCHOOL.example"}, at(EMAIL, ANA), {}, "email:1"),
    ("an address nobody vouches for does not", {**MAILED, "email_verified": False}, at(EMAIL, ANA), {}, "review:unknown"),
    ("an address of another domain does not", {**MAILED, "email": "ana@mail.example"}, at(EMAIL, ANA), {}, "review:unknown"),
    ("a domain that only ends alike is another", {**MAILED, "email": "ana@my.school.example"}, at(EMAIL, ANA), {}, "review:unknown"),
    ("a declared tenant vouches for a declared domain where the preset says so",
     {**MAILED, "email_verified": False, "tenant_vouches": True}, at(EMAIL, ANA), {}, "email:1"),
    ("but not for one that was not declared",
     {"email": "ana@mail.example", "tenant_vouches": True}, at(EMAIL, ANA), {}, "review:unknown"),
    ("two with one address are not chosen between", MAILED, at(EMAIL, ANA, BEN), {}, "email:ambiguous"),
    ("a pupil's address never is a teacher's", {**MAILED, "role": PUPIL}, at(EMAIL, ANA), {}, "email:role-differs"),
    ("a teacher's address never is a pupil's", {**MAILED, "role": STAFF}, at(EMAIL, replace(ANA, role=PUPIL)), {}, "email:role-differs"),
    ("a second issuer reaches who is linked elsewhere", MAILED, at(EMAIL, replace(ANA, subject="")), {}, "email:1"),
    ("a second subject of one issuer is refused", MAILED, at(EMAIL, replace(ANA, subject="s-0")), {}, "email:second-subject"),
    ("also where the sourcedId is theirs",
     {"sourced_id": "a"}, at(SOURCED_ID, replace(ANA, subject="s-0")), {}, "sourced-id:second-subject"),
    ("who is suspended is told so", {"sourced_id": "a"}, at(SOURCED_ID, replace(ANA, state="suspended")), {}, "sourced-id:suspended"),
    ("who is not accepted yet is told so", {"sourced_id": "a"}, at(SOURCED_ID, replace(ANA, state="pending")), {}, "sourced-id:pending"),
    ("who holds no seat yet is recognised all the same",
     {"sourced_id": "a"}, at(SOURCED_ID, replace(ANA, state="inactive")), {}, "sourced-id:1"),
    ("who is in the roster and nobody's member is outside the scope",
     {"sourced_id": "a"}, at(SOURCED_ID, in_roster=True), {}, "review:outside-scope"),
    ("whom the roster does not have yet is not synced", {"sourced_id": "a"}, at(SOURCED_ID), {}, "review:not-synced"),
    ("who is nobody is for people to look at", {"username": "zoe"}, {}, {}, "review:unknown"),
]  # fmt: skip


def came(said: dict, known: dict, trust: dict) -> Decision:
    return climb(replace(CLAIMS, **said), replace(TRUST, **trust), Known(**known))


@pytest.mark.parametrize(
    ("said", "known", "trust", "end"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS]
)
def test_the_ladder(said, known, trust, end):
    decision = came(said, known, trust)
    rung, _, what = end.partition(":")
    assert decision.rung == rung
    assert (str(decision.member) if decision.outcome == "matched" else decision.outcome) == what


@pytest.mark.parametrize("way", WAYS, ids=[way[0] for way in WAYS])
def test_every_step_is_told_in_words_and_with_who_can_change_it(way):
    decision = came(*way[1:4])
    assert decision.steps
    assert {step.why for step in decision.steps} <= set(REASONS)
    assert all(step.owner != NOBODY for step in decision.steps if step.said != YES and step.rung != LINK)
    assert decision.outcome in {"matched", *OUTCOMES}


def test_rungs_are_tried_from_the_surest_down_and_none_is_left_out():
    steps = came({}, {}, {}).steps
    assert [step.rung for step in steps] == [TENANT, LINK, *CHOSEN, REVIEW]


def test_what_people_have_to_decide_is_asked_and_nothing_else():
    asked = {way[0] for way in WAYS if came(*way[1:4]).asks}
    codes = {came(*way[1:4]).outcome for way in WAYS if way[0] in asked}
    assert codes == {"unknown", "ambiguous", "second-subject", "role-differs", "matched"}
    assert "a link is surer than every claim" in asked
    assert not any(came(*way[1:4]).asks for way in WAYS if way[-1].startswith("tenant:"))


def test_every_way_a_link_can_be_out_of_step_with_its_sourced_id_is_told():
    decision = came({"sourced_id": "b"}, at(SOURCED_ID, BEN, linked=ANA), {})
    assert (decision.steps[-1].why, decision.steps[-1].members) == ("linked-elsewhere-said", (1, 2))
