"""What 1.1 and 1.2 say differently, both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.oneroster.mapping import (
    PRECEDENCE_V1P1,
    ROLES_V1P1,
    demographics_v1p1,
    derived_role_id,
    grouped_profiles,
    is_current,
    role_and_orgs_v1p1,
    role_v1p1,
    role_v1p2,
    roles_of_v1p1_user,
    user_v1p1,
)
from rollbook.oneroster.spec import GUID
from rollbook.oneroster.vocabularies import USER_ROLE_11, USER_ROLE_12
from tests.oneroster.cast import AMARA, SAM, TANAKA, TODAY


def role(word: str, org: str, role_type: str = "primary", **dates: str) -> dict[str, Any]:
    return {"roleType": role_type, "role": word, "orgSourcedId": org, **dates}


def test_every_role_of_1_2_has_a_word_in_1_1():
    assert set(ROLES_V1P1) == set(USER_ROLE_12.words)
    assert set(ROLES_V1P1.values()) == set(USER_ROLE_11.words) == set(PRECEDENCE_V1P1)


def test_a_role_of_a_districts_own_reads_as_aide():
    assert role_v1p1("ext:crossingGuard") == "aide"


@pytest.mark.parametrize(
    ("org_type", "word"),
    [
        ("school", "siteAdministrator"),
        ("district", "districtAdministrator"),
        ("local", "districtAdministrator"),
        ("state", "systemAdministrator"),
        ("ext:network", "systemAdministrator"),
        (None, "systemAdministrator"),
    ],
)
def test_an_administrator_is_named_for_the_org(org_type: str | None, word: str):
    assert role_v1p2("administrator", org_type) == word


@given(st.sampled_from(USER_ROLE_11.words), st.sampled_from(["school", "district", "state"]))
def test_a_role_of_1_1_comes_back_as_itself(word: str, org_type: str):
    assert role_v1p1(role_v1p2(word, org_type)) == word


def test_the_primary_role_at_the_primary_org_decides():
    roles = [
        role("teacher", "org-high"),
        role("aide", "org-middle"),
        role("teacher", "org-middle", "secondary"),
    ]
    assert role_and_orgs_v1p1(roles, "org-middle", TODAY) == ("aide", ["org-middle", "org-high"])


def test_without_a_primary_org_the_highest_of_the_primary_roles_decides():
    roles = [
        role("student", "org-high"),
        role("teacher", "org-middle"),
        role("principal", "org-middle", "secondary"),
    ]
    assert role_and_orgs_v1p1(roles, None, TODAY) == ("teacher", ["org-high", "org-middle"])


def test_a_primary_org_without_a_role_there_decides_nothing():
    assert role_and_orgs_v1p1([role("teacher", "org-high")], "org-district", TODAY) == (
        "teacher",
        ["org-high"],
    )


def test_roles_of_the_past_and_the_future_do_not_count():
    roles = [
        role("principal", "org-middle", endDate=TODAY),
        role("teacher", "org-high", beginDate=TODAY),
        role("proctor", "org-district", beginDate="2026-10-02"),
    ]
    assert role_and_orgs_v1p1(roles, "org-middle", TODAY) == ("teacher", ["org-high"])


def test_where_no_role_is_current_all_count():
    roles = [
        role("student", "org-middle", endDate="2026-07-01"),
        role("student", "org-high", beginDate="2027-08-01"),
    ]
    assert role_and_orgs_v1p1(roles, "org-high", TODAY) == ("student", ["org-high", "org-middle"])


def test_a_person_without_roles_is_an_aide_of_the_primary_org():
    assert role_and_orgs_v1p1([], "org-high", TODAY) == ("aide", ["org-high"])
    assert role_and_orgs_v1p1([], None, TODAY) == ("aide", [])


def test_an_end_date_is_the_first_day_without_the_role():
    assert is_current(role("aide", "o", beginDate="2026-10-01", endDate="2026-10-02"), "2026-10-01")
    assert not is_current(role("aide", "o", beginDate="2026-10-01", endDate="2026-10-02"), "2026-10-02")
    assert is_current({"role": "aide", "beginDate": None, "endDate": None}, "2026-10-02")


def test_a_1_1_user_of_two_orgs_has_a_primary_role_at_each():
    rows = roles_of_v1p1_user(
        "staff-008",
        "administrator",
        ["org-middle", "org-district", "org-middle"],
        {"org-middle": "school", "org-district": "district"},
    )
    assert [(row["orgSourcedId"], row["roleType"], row["role"]) for row in rows] == [
        ("org-middle", "primary", "siteAdministrator"),
        ("org-district", "primary", "districtAdministrator"),
    ]
    assert {row["userSourcedId"] for row in rows} == {"staff-008"}


def test_a_derived_role_keeps_its_id_whatever_the_org_becomes():
    before = roles_of_v1p1_user("u", "administrator", ["o"], {"o": "school"})
    after = roles_of_v1p1_user("u", "administrator", ["o"], {"o": "district"})
    assert before[0]["role"] != after[0]["role"]
    assert before[0]["sourcedId"] == after[0]["sourcedId"] == "role-d56c1f533b51186ea35aff3040e5f6f3"


ids = st.from_regex(GUID, fullmatch=True)


@given(st.lists(st.tuples(ids, ids, st.sampled_from(USER_ROLE_11.words)), max_size=8, unique=True))
def test_derived_role_ids_are_legal_and_never_shared(triples: list[tuple[str, str, str]]):
    derived = [derived_role_id(*triple) for triple in triples]
    assert len(set(derived)) == len(derived)
    assert all(GUID.fullmatch(one) for one in derived)


@given(
    st.sampled_from(USER_ROLE_11.words),
    st.lists(ids, min_size=1, max_size=4, unique=True),
    st.sampled_from(["school", "district", "national"]),
)
def test_a_1_1_user_comes_back_as_delivered(word: str, orgs: list[str], org_type: str):
    roles = roles_of_v1p1_user("u", word, orgs, dict.fromkeys(orgs, org_type))
    assert role_and_orgs_v1p1(roles, orgs[0], TODAY) == (word, orgs)


def test_what_1_1_has_no_member_for_is_metadata_there():
    assert user_v1p1(TANAKA, TODAY)["metadata"] == {
        "userMasterIdentifier": "M-8",
        "preferredFirstName": "Haru",
        "preferredLastName": "Tanaka-Reyes",
        "pronouns": "she/her",
    }
    assert user_v1p1(AMARA, TODAY)["metadata"] == {}


def test_a_districts_own_metadata_goes_before_ours():
    shown = user_v1p1({**TANAKA, "metadata": {"pronouns": "they", "badge": "7"}}, TODAY)["metadata"]
    assert (shown["pronouns"], shown["badge"], shown["preferredFirstName"]) == ("they", "7", "Haru")


def test_a_sex_that_1_1_has_no_word_for_is_left_out():
    assert demographics_v1p1(SAM, TODAY)["sex"] is None
    assert demographics_v1p1({**SAM, "sex": "ext:x"}, TODAY)["sex"] is None
    assert demographics_v1p1({**SAM, "sex": "female"}, TODAY)["sex"] == "female"


def test_rows_of_one_vendor_and_application_are_one_profile_with_two_credentials():
    profiles, profile_ids = grouped_profiles(TANAKA["userProfiles"])
    assert [profile["profileId"] for profile in profiles] == ["urn:rollbook:profile:profile-1"]
    assert [row["username"] for row in profiles[0]["credentials"]] == ["htanaka", "tanaka"]
    assert set(profile_ids) == {"profile-1", "profile-2"}
    assert set(profile_ids.values()) == {"urn:rollbook:profile:profile-1"}


def test_profiles_do_not_depend_on_the_order_of_rows():
    assert grouped_profiles(TANAKA["userProfiles"]) == grouped_profiles(TANAKA["userProfiles"][::-1])


def test_another_application_is_another_profile():
    first, second = TANAKA["userProfiles"]
    profiles, _ = grouped_profiles([first, {**second, "applicationId": "app-2"}])
    assert len(profiles) == 2
