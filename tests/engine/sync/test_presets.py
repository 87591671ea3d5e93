"""What the four settings files make of each role of a source, in either version of the standard."""

import pytest

from rollbook.engine.sync.operations import ARCHIVED
from rollbook.engine.sync.policy import NEVER_MAPPED, STAFF_ROLES, preset, presets
from tests.engine.sync.desk import Desk, a_class, but, enrolled, person, riverbend

STAFF_BUT_HELPERS = STAFF_ROLES - {"aide", "proctor"}
EXPECTED = {
    "classes-and-licences": dict.fromkeys(STAFF_BUT_HELPERS, ("teacher",))
    | {"aide": ("aide",), "proctor": ("proctor",), "student": ("student",)},
    "everything-in-step": dict.fromkeys(STAFF_ROLES, ("teacher",)) | {"student": ("student",)},
    "teachers-and-schools": {"teacher": ("teacher",)},
    "teachers-groups": {"teacher": ("teacher",), "student": ("student",)},
}
"""{preset: {role of the source: roles in the directory}}; who has another role does not become a member."""


@pytest.mark.parametrize("name", presets())
def test_every_role_of_a_source_becomes_what_the_product_knows(name: str) -> None:
    desk = Desk(policy=preset(name))
    roles = sorted(STAFF_ROLES | NEVER_MAPPED | {"student"})
    people = [person(f"a-{role}", role) for role in roles]
    taught = [*enrolled("gym", "a-teacher", role="teacher"), *enrolled("gym", "a-student")]
    desk.sync(but(riverbend(), *people, a_class("gym"), *taught))
    found = {
        one.removeprefix("a-"): desk.member(one).fields["roles"]
        for one, state in desk.states().items()
        if one.startswith("a-") and state != ARCHIVED
    }
    assert found == EXPECTED[name]
