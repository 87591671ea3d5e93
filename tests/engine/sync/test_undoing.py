"""The undoing of a run: what it did goes back, but for what somebody changed since."""

from dataclasses import replace

from rollbook.engine.sync.memory import MemoryTarget
from rollbook.engine.sync.operations import (
    ARCHIVE,
    DONE,
    GONE_STATES,
    MEMBERS,
    MEMBERSHIPS,
    UNLINK,
    UPDATE,
    Operation,
    Value,
)
from rollbook.engine.sync.policy import Grace, Policy
from rollbook.engine.sync.roster import MemoryRoster
from rollbook.engine.sync.trial import Trial
from rollbook.engine.sync.undoing import inverse
from rollbook.engine.sync.world import directory_of
from tests.engine.sync.desk import Desk, but, enrolled, person, renamed, riverbend, without

AT_ONCE = Policy(grace=Grace(reads=1, students=0, staff=0, classes=0))

Standing = dict[str, dict[str, dict[str, Value]]]


def standing(desk: Desk) -> Standing:
    """All that is active, by kind and id."""
    found: Standing = {}
    for kind in ("sites", "members", "groups", "memberships"):
        found[kind] = {
            one.id: {
                name: sorted(value) if isinstance(value, tuple) else value
                for name, value in one.fields.items()
            }  # type: ignore[misc]  # for comparing
            for one in desk.target.scan(kind)
            if one.state not in GONE_STATES
        }
    return found


def undone(desk: Desk, done: range | None = None) -> list[tuple[str, str]]:
    """Undoes the last plan; the remarks as (sourcedId, code of field)."""
    made = {
        (kind, one): link.target for kind in desk.links.current for one, link in desk.links.of(kind).items()
    }
    was_done = (lambda number: number in done) if done is not None else (lambda number: True)
    found, remarks = inverse(desk.operations, was_done, directory_of(desk.target), made)
    told = [replace(one, id=f"undo-{one.number}") for one in found if one.action != UNLINK]
    assert {one.status for one in desk.target.apply(told)} <= {DONE}
    return [(one.source_id, f"{one.code} {one.field}".strip()) for one in remarks]


def a_year_later(roster: MemoryRoster) -> MemoryRoster:
    """Joiners, leavers, a swap of addresses, a change of class and a rename, all in one read."""
    roster = but(roster, person("new", "student", "south"), *enrolled("choir", "new", "fay"))
    roster = without(roster, "eli", "art.gus.student")
    dot, fay = roster.people["dot"], roster.people["fay"]
    roster = renamed(roster, "dot", email=fay.email, username=fay.username, family_name="Moss")
    return renamed(roster, "fay", email=dot.email, username=dot.username, grades=("09",))


def test_undoing_a_first_sync_archives_all_it_made_and_leaves_what_was_there():
    desk = Desk(AT_ONCE)
    desk.target.put(MEMBERS, {"given_name": "Helen", "roles": ("owner",)})
    before = standing(desk)
    desk.sync(riverbend(), first=True)
    assert undone(desk) == []
    assert standing(desk) == before


def test_undoing_a_year_of_changes_comes_back_to_the_directory_before_it():
    desk = Desk(AT_ONCE)
    desk.sync(riverbend())
    before = standing(desk)
    desk.sync(a_year_later(riverbend()))
    assert standing(desk) != before
    assert undone(desk) == []
    assert standing(desk) == before


def test_undoing_a_run_that_was_broken_off_anywhere_takes_back_what_was_done():
    later = a_year_later(riverbend())
    whole = Desk(AT_ONCE)
    whole.sync(riverbend())
    whole.plan(later)
    for cut in range(1, len(whole.operations) + 1):
        desk = Desk(AT_ONCE)
        desk.sync(riverbend())
        before = standing(desk)
        desk.plan(later)
        desk.apply(desk.operations[:cut])
        undone(desk, range(1, cut + 1))
        assert standing(desk) == before, cut


def test_what_somebody_changed_since_stays_and_is_told():
    desk = Desk(AT_ONCE)
    desk.sync(riverbend())
    desk.sync(without(renamed(riverbend(), "dot", family_name="Moss", grades=("08",)), "eli"))
    by_hand = desk.target.beside("")
    by_hand.apply([Operation(1, UPDATE, MEMBERS, "", desk.member("dot").id, after={"family_name": "Reed"})])
    by_hand.apply([Operation(2, "restore", MEMBERS, "", desk.member("eli").id)])
    assert sorted(undone(desk)) == [("dot", "changed-since family_name"), ("eli", "changed-since state")]
    assert (desk.member("dot").fields["family_name"], desk.member("dot").fields["grade"]) == ("Reed", "07")


def test_of_roles_only_what_the_run_gave_or_took_goes_back():
    trial = Trial(MemoryTarget())
    trial.send(trial.sample())
    told = trial.update(MEMBERS, "t1", {"roles": ("aide",)})
    told = replace(told, before={"roles": ("teacher",)})
    trial.send([told])
    trial.send([trial.update(MEMBERS, "t1", {"roles": ("aide", "administrator")})])
    found, remarks = inverse([told], lambda number: True, directory_of(trial.target))
    assert [one.after for one in found] == [{"roles": ("administrator", "teacher")}]
    assert remarks == []


def test_an_undoing_says_what_it_takes_away_and_where():
    desk = Desk(AT_ONCE)
    desk.sync(riverbend())
    desk.operations = [one for one in desk.operations if one.source_id.startswith(("choir", "ben", "south"))]
    found, _ = inverse(desk.operations, lambda number: True, directory_of(desk.target))
    south, choir = desk.links.of("sites")["south"].target, desk.links.of("groups")["choir"].target
    assert {one.action for one in found} == {ARCHIVE}
    assert {one.at for one in found if one.kind in (MEMBERS, "groups", MEMBERSHIPS)} == {(south,)}
    assert {one.group for one in found if one.kind == MEMBERSHIPS} == {choir}
    assert [one.number for one in found] == list(range(1, len(found) + 1))
