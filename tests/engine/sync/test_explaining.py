"""Why a record is what it is, and runs about one person, one class or one school."""

from rollbook.engine.sync.explaining import Step, explain
from rollbook.engine.sync.operations import GROUPS, MEMBERS, SITES
from rollbook.engine.sync.policy import read_policy
from rollbook.engine.sync.policy import settings as policy_settings
from rollbook.engine.sync.reference import sync_codes_markdown, sync_settings_markdown
from rollbook.engine.sync.remarks import CATALOGUE, CODES, OWNERS
from rollbook.engine.sync.roster import MARKED
from rollbook.engine.sync.world import Focus
from tests.engine.sync.desk import Desk, a_class, but, enrolled, person, renamed, riverbend, without


def steps(desk: Desk, found: list[Step]) -> list[str]:
    return [one.code for one in found]


def test_a_member_is_explained_from_what_was_read_to_the_operation() -> None:
    desk = Desk()
    desk.sync(riverbend())
    roster = renamed(riverbend(), "cid", family_name="New")
    found = explain(desk.world(roster), desk.policy, MEMBERS, "cid")
    assert steps(desk, found) == [
        "read",
        "school",
        "school",
        "roles",
        "wanted",
        "match",
        "merge",
        "lifecycle",
        "operation",
    ]
    [merge] = [one.facts for one in found if one.code == "merge"]
    assert (merge["field"], merge["said"], merge["says"], merge["becomes"]) == (
        "family_name",
        "OfCid",
        "New",
        "New",
    )
    assert found[-1].facts["changed"] == "family_name"


def test_somebody_who_is_nobody_is_explained_too() -> None:
    desk = Desk()
    roster = but(riverbend(), person("mum", "guardian"))
    found = explain(desk.world(roster), desk.policy, MEMBERS, "mum")
    assert {"state": "out", "code": "never-a-member"} in [one.facts for one in found]
    assert explain(desk.world(roster), desk.policy, MEMBERS, "who")[0] == Step("read", {"there": "not seen"})


def test_who_is_gone_and_what_a_class_and_a_school_are_is_explained() -> None:
    desk = Desk()
    desk.sync(riverbend())
    left = without(riverbend(), "dot", why=MARKED)
    gone = explain(desk.world(left), desk.policy, MEMBERS, "dot")
    assert gone[0].facts == {"there": "marked"}
    assert gone[-1].facts["action"] == "archive"
    [wanted] = [one for one in explain(desk.world(left), desk.policy, GROUPS, "art") if one.code == "wanted"]
    assert wanted.facts == {"state": "in"}
    site = explain(desk.world(left), desk.policy, SITES, "north")
    assert site[1].facts["state"] == "wanted"


def test_a_run_about_one_teacher_brings_their_classes_and_pupils_and_nothing_else() -> None:
    desk = Desk()
    desk.sync(riverbend(), focus=Focus(people=frozenset({"ada"})))
    assert sorted(desk.links.of(MEMBERS)) == ["ada", "dot", "eli"]
    assert sorted(desk.links.of(GROUPS)) == ["maths"]
    assert sorted(desk.links.of(SITES)) == ["north"]
    assert len(desk.in_class("maths")) == 3


def test_a_run_about_one_pupil_touches_only_their_memberships() -> None:
    desk = Desk()
    desk.sync(riverbend())
    moved = but(without(riverbend(), "maths.dot.student", "maths.eli.student"), *enrolled("choir", "dot"))
    moved = renamed(moved, "eli", family_name="New")
    desk.sync(moved, focus=Focus(people=frozenset({"dot"})))
    assert desk.did() == ["create memberships choir.dot.student", "archive memberships maths.dot.student"]


def test_a_run_about_one_class_or_one_school_touches_what_belongs_to_it() -> None:
    desk = Desk()
    desk.sync(riverbend())
    roster = but(
        without(riverbend(), "art.fay.student", "maths.eli.student"), a_class("art", "south", title="New")
    )
    desk.plan(roster, focus=Focus(classes=frozenset({"art"})))
    assert desk.did() == ["update groups art", "archive memberships art.fay.student"]
    desk.sync(roster, focus=Focus(schools=frozenset({"south"})))
    assert desk.did() == ["update groups art", "archive memberships art.fay.student"]
    desk.sync(roster)
    assert desk.did() == ["archive memberships maths.eli.student"]


def test_every_code_of_a_plan_is_in_the_catalogue() -> None:
    assert len(CATALOGUE) == len(CODES)
    assert {one.owner for one in CODES} <= set(OWNERS)
    desk = Desk(policy=read_policy({"people": {"create": False}, "schools": {"unmatched": "hold"}}))
    planned = desk.plan(riverbend())
    assert {one.code for one in planned.remarks} | {one.code for one in planned.cases} <= set(CATALOGUE)
    page = sync_codes_markdown()
    assert all(f"- `{one.code}`: " in page for one in CODES)


def test_every_setting_and_preset_is_on_its_page() -> None:
    page = sync_settings_markdown()
    assert all(f"`{one.name.rpartition('.')[2]}`" in page for one in policy_settings())
    assert '- `people.archive_unowned` = `["teacher"]`' in page
