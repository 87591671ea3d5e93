"""Masks and pseudonyms: the same for one person and one app, another for every other, and nothing of the value where nothing may be told."""

import re

import pytest

from rollbook.engine.masks import DOMAIN, Masker, turned
from rollbook.oneroster.json_binding import texts
from rollbook.oneroster.treatments import MASK, OMIT, PSEUDONYMISE, SHARE

AMARA = {
    "sourcedId": "student-001",
    "username": "aokonkwo",
    "enabledUser": True,
    "givenName": "Amara",
    "familyName": "Okonkwo",
    "email": "amara@riverbend.example",
    "phone": "555 0134",
    "identifier": "S-1001",
    "metadata": {"house": "Oak", "bus": "12"},
}
ONE, OTHER = Masker(b"one"), Masker(b"other")


def test_a_person_has_one_pseudonym_for_an_app_and_another_for_another_app() -> None:
    treatments = {"givenName": PSEUDONYMISE, "familyName": PSEUDONYMISE, "username": PSEUDONYMISE}
    first, again, other = (masker.treated(AMARA, "7", treatments) for masker in (ONE, ONE, OTHER))
    assert first == again
    for field in treatments:
        assert len({first[field], other[field], AMARA[field]}) == 3
    assert first["givenName"] != first["familyName"].capitalize(), "each field has its own"
    assert ONE.treated(AMARA, "8", treatments)["givenName"] != first["givenName"], "and each person"


def test_a_pseudonym_stays_when_the_value_changes_and_a_mask_keeps_its_first_letter() -> None:
    married = {**AMARA, "familyName": "Bello"}
    for treatment, stays in ((PSEUDONYMISE, True), (MASK, False)):
        before, after = (
            ONE.treated(one, "7", {"familyName": treatment})["familyName"] for one in (AMARA, married)
        )
        assert (before == after) is stays
    assert ONE.treated(AMARA, "7", {"familyName": MASK})["familyName"].startswith("O")
    assert ONE.treated(AMARA, "7", {"familyName": MASK})["familyName"] != "Okonkwo"


def test_an_address_masked_can_receive_no_mail_and_a_number_calls_nobody() -> None:
    for treatment in (MASK, PSEUDONYMISE):
        shown = ONE.treated(AMARA, "7", {"email": treatment, "phone": treatment})
        local, _, domain = shown["email"].partition("@")
        assert domain == DOMAIN
        assert domain.endswith(".invalid")
        assert "amara" not in local
        assert shown["phone"].startswith("000")


def test_what_is_not_there_is_not_made_up() -> None:
    treatments = {"email": MASK, "sms": PSEUDONYMISE, "metadata.shoe": MASK}
    shown = ONE.treated({**AMARA, "email": ""}, "7", treatments)
    assert shown["email"] is None
    assert shown["sms"] is None
    assert "shoe" not in shown["metadata"]


def test_metadata_is_treated_field_by_field() -> None:
    shown = ONE.treated(AMARA, "7", {"metadata.house": OMIT, "metadata.bus": PSEUDONYMISE})
    assert set(shown["metadata"]) == {"bus"}
    assert shown["metadata"]["bus"] != "12"
    assert ONE.treated(AMARA, "7", {"metadata": OMIT})["metadata"] is None
    assert AMARA["metadata"] == {"house": "Oak", "bus": "12"}, "the record itself stays as it is"


def test_what_is_shared_is_shown_and_what_is_omitted_is_in_no_text() -> None:
    shown = ONE.treated({**AMARA, "roles": []}, "7", {"email": OMIT, "identifier": OMIT, "phone": SHARE})
    for text in texts("users", shown, "2026-11-22"):
        assert text is not None
        assert "riverbend.example" not in text
        assert "S-1001" not in text
        assert "555 0134" in text


@pytest.mark.parametrize(
    ("born", "told"),
    [
        ("2014-01-01", "2014-01-01"),
        ("2014-08-31", "2014-01-01"),
        ("2014-09-01", "2014-09-01"),
        ("2014-12-24", "2014-09-01"),
    ],
)
def test_a_date_of_birth_keeps_its_year_and_its_school_year(born: str, told: str) -> None:
    assert turned(born) == told
    assert ONE.treated({"birthDate": born}, "7", {"birthDate": MASK})["birthDate"] == told


def test_an_alias_leads_back_by_its_own_key_alone() -> None:
    for real in ("student-001", "Größe/7@x", "a", "x" * 170):
        alias = ONE.alias(real, "users")
        assert alias == ONE.alias(real, "users")
        assert len(alias) <= 255
        assert re.fullmatch(r"[0-9A-Za-z_-]+", alias), "it is a legal sourcedId"
        assert ONE.real(alias, "users") == real
        assert ONE.real(alias, "enrollments") is None
        assert OTHER.real(alias, "users") is None
        assert OTHER.alias(real, "users") != alias
    for text in ("", "student-001", "é", "a" * 300, ONE.alias("student-001", "users")[:-1]):
        assert ONE.real(text, "users") is None
