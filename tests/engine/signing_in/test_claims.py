"""What each kind of provider says, in our words: tokens in the shape of theirs, replayed and not live."""

import pytest

from rollbook.engine.signing_in.claims import (
    ANY,
    CLASSLINK,
    CLEVER,
    ENTRA,
    GOOGLE,
    PRESETS,
    PUPIL,
    STAFF,
    claims_of,
    masked,
    text_of,
)
from rollbook.engine.signing_in.ladder import EMAIL, Candidate, Known, Trust, climb

TID = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
ISSUER = f"https://login.microsoftonline.com/{TID}/v2.0"
OF_ENTRA = {"iss": ISSUER, "sub": "pairwise", "oid": "o-1", "tid": TID, "email": "ana@school.example"}


def test_classlinks_tenant_is_a_number_and_compared_as_text():
    said = {"iss": CLASSLINK.issuer, "sub": 4711, "classLink_tenant_id": 2170, "classLink_sourcedId": "TCH_9", "classLink_role": "Teacher",
            "login_hint": "ana", "email": "a@b.example"}  # fmt: skip
    claims = claims_of(CLASSLINK, said)
    assert (claims.subject, claims.tenant, claims.sourced_id, claims.role, claims.username) == (
        "4711", "2170", "TCH_9", STAFF, "ana",
    )  # fmt: skip
    assert claims.email_verified is False


def test_classlinks_older_names_are_read_too():
    claims = claims_of(
        CLASSLINK, {"UserId": 5, "TenantId": "9", "SourcedId": "", "Role": "Student", "LoginId": "kofi"}
    )
    assert (claims.subject, claims.tenant, claims.sourced_id, claims.role) == ("5", "9", "", PUPIL)


@pytest.mark.parametrize(
    ("kind", "role"),
    [("student", PUPIL), ("teacher", STAFF), ("district_admin", STAFF), ("contact", ""), (None, "")],
)
def test_clevers_user_types_are_staff_or_pupils(kind, role):
    claims = claims_of(CLEVER, {"iss": CLEVER.issuer, "sub": "c1", "district": "d1", "user_type": kind})
    assert (claims.tenant, claims.role) == ("d1", role)


def test_googles_two_issuers_are_one_and_a_private_address_has_no_tenant():
    claims = claims_of(
        GOOGLE, {"iss": "accounts.google.com", "sub": "1", "email": "a@gmail.example", "email_verified": True}
    )
    assert (claims.issuer, claims.tenant, claims.email_verified) == ("https://accounts.google.com", "", True)


def test_a_person_of_entra_is_tid_and_oid():
    claims = claims_of(ENTRA, OF_ENTRA)
    assert (claims.subject, claims.tenant, claims.issuer) == ("o-1", TID, ISSUER)
    assert claims_of(ENTRA, {**OF_ENTRA, "oid": None}).subject == ""


@pytest.mark.parametrize(
    ("said", "tenants", "domains", "reaches"),
    [
        ({}, {TID}, {"school.example"}, True),
        ({}, {TID}, {"other.example"}, False),
        ({}, {"another"}, {"school.example"}, False),
        ({"xms_edov": True}, {TID}, {"school.example"}, True),
        ({"xms_edov": "1"}, {TID}, {"other.example"}, False),
    ],
)
def test_entras_address_counts_where_tenant_and_domain_are_declared(said, tenants, domains, reaches):
    trust = Trust(ISSUER, frozenset(tenants), frozenset(domains), frozenset({EMAIL}), True)
    decision = climb(claims_of(ENTRA, OF_ENTRA | said), trust, Known(by={EMAIL: (Candidate(1),)}))
    assert (decision.outcome == "matched") is reaches


def test_a_provider_may_call_its_claims_otherwise():
    names = {"sourced_id": "https://school.example/claims.sid", "role": "who.kind"}
    said = {"sub": "s", "https://school.example/claims.sid": " 7", "who": {"kind": ["Student"]}}
    claims = claims_of(ANY, said, names)
    assert (claims.sourced_id, claims.role) == (" 7", PUPIL)


def test_ids_are_texts_byte_for_byte_and_blank_is_none():
    assert [text_of(one) for one in ("017", 17, " x", "", " ", None, True, ["a", "b"], ["a"], {})] == [
        "017", "17", " x", "", "", "", "", "", "a", "",
    ]  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_every_preset_says_what_one_has_to_know(preset):
    assert preset.quirk
    assert bool(preset.tenant) == bool(preset.tenants)


def test_what_is_shown_in_a_test_tells_nobodys_address():
    assert [masked(one) for one in ("ana.silva@school.example", "TCH_0912", "1234", "")] == [
        "a…@school.example", "TC…2", "…", "",
    ]  # fmt: skip
