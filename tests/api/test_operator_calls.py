"""Operators' programs keep the people of a district under /api/v1, and never over the head of who is responsible for more."""

import pytest

from rollbook.flows import audit, operators, partners
from rollbook.flows.districts import add_district
from rollbook.flows.roles import Act, reach_of
from rollbook.store.models import Account, District, Operator, Org
from tests.api.test_app_calls import Program


@pytest.fixture
def district(db: None) -> District:
    made = add_district("Riverbend")
    Org.objects.create(
        district=made, id=1, connection_id=1, source_id="north", sourced_id="north", name="North", name_folded="north",
        type="school",
    )  # fmt: skip
    return made


@pytest.fixture
def program(district: District) -> Program:
    return Program(district, "brandt@riverbend.example", operators.DISTRICT)


def test_a_person_is_let_in_given_another_role_and_let_go(program, district):
    lee = {
        "email": "Lee@riverbend.example",
        "name": "Lee",
        "role": "school administrator",
        "schools": ["north"],
    }
    made = program.ask("POST", "/operators", lee, 201, "NewOperator")
    assert "/password/set/" in made["passwordLink"]
    assert (made["schools"], made["hasPassword"], made["isYours"]) == (["north"], False, True)
    program.ask("POST", "/operators", lee, 409)
    one = f"/operators/{made['id']}"
    changed = program.ask("PATCH", one, {"role": "privacy officer"}, 200, "Operator")
    assert (changed["role"], changed["schools"]) == ("privacy officer", [])
    account = Account.objects.get(email="lee@riverbend.example")
    assert reach_of(account).may(Act.SEE_AUDIT, district.pk)
    assert program.ask("PATCH", one, {"active": False})["active"] is False
    assert program.ask("PATCH", one, {"active": True})["active"] is True
    link = program.ask("POST", f"{one}/password-link", expect=201, schema="PasswordLink")["passwordLink"]
    assert "/password/set/" in link
    told = program.ask("GET", "/operators", schema="Operators")["operators"]
    assert [one["email"] for one in told] == ["brandt@riverbend.example", "lee@riverbend.example"]
    assert [entry.act for entry in audit.entries(district.pk, act="operator")[:5]] == [
        "operator.password_link", "operator.reactivate", "operator.deactivate", "operator.change", "operator.password_link",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"email": "nobody", "role": "help desk"}, 422),
        ({"email": "x@riverbend.example", "role": "king"}, 400),
        ({"email": "x@riverbend.example", "role": "installation operator"}, 422),
        ({"email": "x@riverbend.example", "role": "product support"}, 400),
        ({"email": "x@riverbend.example", "role": "school administrator"}, 422),
        ({"email": "x@riverbend.example", "role": "school administrator", "schools": ["west"]}, 422),
        ({"email": "x@riverbend.example", "role": "help desk", "name": "x" * 201}, 422),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_let_in(program, sent, status: int):
    program.ask("POST", "/operators", sent, status)
    assert Operator.objects.count() == 1


def test_who_also_works_elsewhere_is_out_of_reach(program, district):
    elsewhere = operators.add_operator(
        "else@cedar.example", operators.DISTRICT, add_district("Cedar")
    ).account
    developer = partners.employ(partners.add_partner("Quorndle"), "ines@quorndle.example").account
    for account in (elsewhere, developer):
        made = program.ask("POST", "/operators", {"email": account.email, "role": "help desk"}, 201)
        assert (made["passwordLink"], made["isYours"]) == (None, False)
        program.ask("POST", f"/operators/{made['id']}/password-link", expect=409)
        program.ask("PATCH", f"/operators/{made['id']}", {"active": False}, 409)
    other = Operator.objects.get(account=elsewhere, role=operators.DISTRICT)
    program.ask("PATCH", f"/operators/{other.pk}", {"active": False}, 404)


def test_nobody_changes_themselves(program):
    own = Operator.objects.get(account__email="brandt@riverbend.example")
    for sent in ({"active": False}, {"role": "help desk"}):
        program.ask("PATCH", f"/operators/{own.pk}", sent, 409)
