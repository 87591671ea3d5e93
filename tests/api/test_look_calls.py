"""Find, Explain and sanity checks under /api/v1: what they answer, to whom, and what they refuse."""

from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from django.test import Client

from rollbook.api.intake_routes import ROOT, SCHEMAS
from rollbook.flows import sanity
from rollbook.flows.operators import add_operator
from rollbook.flows.publish import publish
from rollbook.flows.roles import Role
from rollbook.flows.tokens import make_token
from rollbook.store.models import District, Grant
from tests import cast
from tests.console.roster import load_riverbend
from tests.delivered import a_grant_to


@pytest.fixture
def high(district: District) -> Grant:
    """An app that sees Riverbend High."""
    load_riverbend(district)
    publish(district.pk, None, "a test")
    district.refresh_from_db()
    return a_grant_to(district, cast.RIVERBEND_HIGH, app="MathTrail")


class Programs:
    """Programs of operators, one a role."""

    def __init__(self, district: District) -> None:
        self.district = district
        self.secrets: dict[Role, str] = {}

    def __call__(self, path: str, role: Role = Role.DISTRICT, method: str = "get", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._secret(role)}"}
        return getattr(Client(), method)(f"{ROOT}{path}", headers=headers, **more)

    def told(self, schema: str, path: str, **more: Any) -> Any:
        """The answer, which must be as the document says."""
        answer = self(path, **more)
        assert answer.status_code < 300, answer.content
        named = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": SCHEMAS}}
        jsonschema.validate(answer.json(), named)
        return answer.json()

    def _secret(self, role: Role) -> str:
        if role not in self.secrets:
            schools = [cast.RIVERBEND_MIDDLE] if role is Role.SCHOOL else []
            made = add_operator(
                f"{role.name.lower()}@riverbend.example", role, self.district, schools=schools
            )
            self.secrets[role] = make_token(made.account, self.district, "a program", datetime.now(UTC))[1]
        return self.secrets[role]


@pytest.fixture
def ask(high: Grant, district: District) -> Programs:
    return Programs(district)


def test_what_the_app_sees_is_found_with_all_that_belongs_to_it(ask: Programs, high: Grant):
    found = ask.told("Found", f"/apps/{high.pk}/find", data={"q": "okonkwo"})
    assert [one["sourcedId"] for one in found["users"]["records"]] == [cast.AMARA]
    seen = ask.told("Seen", f"/apps/{high.pk}/find/users", data={"id": cast.AMARA})
    told = {part["relation"]: part for part in seen["belonging"]}
    assert told["enrollments"]["total"]
    assert told["demographics"]["records"] == []
    assert "birthDate" in told["demographics"]["members"]
    assert ask(f"/apps/{high.pk}/find/users", data={"id": cast.KOFI}).status_code == 404
    assert ask(f"/apps/{high.pk}/find/classes", data={"id": cast.ALGEBRA}).json()["record"]["title"]
    assert ask(f"/apps/{high.pk}/find").status_code == 422


def test_an_explanation_names_the_setting_and_who_may_change_it(ask: Programs, high: Grant):
    [one] = ask.told("Explanations", f"/apps/{high.pk}/explain", data={"q": cast.KOFI})["explanations"]
    assert (one["sees"], [change["setting"] for change in one["change"]]) == (False, ["orgs"])
    assert "district administrator" in one["change"][0]["who"]
    every = ask("/explain", data={"q": cast.AMARA}, role=Role.HELP_DESK).json()["explanations"]
    assert ("MathTrail", True) in [(one["app"], one["sees"]) for one in every]


def test_a_check_is_asked_for_and_looked_at(ask: Programs, high: Grant):
    asked = ask(f"/apps/{high.pk}/sanity", method="post")
    assert asked.status_code == 202
    assert asked["Location"].endswith(f"/apps/{high.pk}/sanity/{asked.json()['check']}")
    assert sanity.walk_next()
    told = ask.told("SanityCheck", f"/apps/{high.pk}/sanity/{asked.json()['check']}")
    assert told["phase"] == "done"
    assert told["lines"][0]["code"] == "students-without-grades"
    assert [one["check"] for one in ask.told("SanityChecks", f"/apps/{high.pk}/sanity")["checks"]] == [
        told["check"]
    ]
    assert ask(f"/apps/{high.pk}/sanity/{told['check']}.csv").content.startswith(b"group,line")
    assert ask(f"/apps/{high.pk}/sanity/{told['check'] + 1}").status_code == 404


def test_the_plan_is_changed_piece_by_piece(ask: Programs, high: Grant):
    def patch(body: dict[str, Any]) -> Any:
        return ask(f"/apps/{high.pk}/sanity/plan", method="patch", data=body, content_type="application/json")

    assert patch({"limits": {"classes-without-teachers": 5}}).json()["limits"] == {
        "classes-without-teachers": 5
    }
    told = patch({"times": ["05:30"], "weekdays": ["mon"]}).json()
    assert told == {
        "times": ["05:30"], "weekdays": ["mon"], "limits": {"classes-without-teachers": 5}, "licences": None,
        "licensed": "people",
    }  # fmt: skip
    told = patch({"licences": 500, "licensed": "students"}).json()
    assert (told["licences"], told["licensed"], told["times"]) == (500, "students", ["05:30"])
    assert patch({"licences": None}).json()["licences"] is None
    assert patch({"licensed": "chairs"}).status_code == 422
    assert patch({"licences": "many"}).status_code == 400
    assert patch({"limits": {"classes-without-teachers": None}}).json()["limits"] == {}
    assert patch({"limits": {"classes-without-windows": 5}}).status_code == 422
    assert patch({"limits": {"classes-without-teachers": "5"}}).status_code == 400
    assert patch({"colour": "red"}).status_code == 400


def test_roles_see_what_the_table_lets_them(ask: Programs, high: Grant):
    assert ask(f"/apps/{high.pk}/sanity", role=Role.HELP_DESK).status_code == 403
    assert ask(f"/apps/{high.pk}/explain", role=Role.SCHOOL, data={"q": cast.AMARA}).status_code == 403
    mine = ask(f"/apps/{high.pk}/find", role=Role.SCHOOL, data={"q": cast.AMARA}).json()
    assert mine["users"]["total"] == 0
    assert ask("/apps/999/find", data={"q": "x"}).status_code == 404
