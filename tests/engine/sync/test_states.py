"""How each record of a source stands in the directory."""

from rollbook.engine.sync.policy import preset, read_policy
from rollbook.engine.sync.states import State, states
from tests.engine.sync.desk import Desk, but, person, riverbend, teacher, without


def found(desk: Desk, roster: object) -> dict[str, State]:
    world = desk.world(roster, certified=frozenset())  # type: ignore[arg-type]  # a roster in memory
    return {one.source_id: one for one in states(world, desk.policy)}


def test_what_is_there_what_waits_what_is_gone_and_what_never_came() -> None:
    desk = Desk(policy=read_policy({"grace": {"reads": 2, "students": 0}}))
    whole = but(riverbend(), person("mum", "guardian"), teacher("twin", email="ada@riverbend.example"))
    desk.sync(whole)
    left = without(whole, "dot", "art")
    desk.sync(left)
    told = found(desk, left)
    assert set(told) == {"north", "south", *whole.people, *whole.classes}
    assert (told["ada"].record, told["ada"].state, told["ada"].reasons) == (
        desk.member("ada").id,
        "inactive",
        (),
    )
    assert (told["dot"].state, told["dot"].reasons, told["dot"].missing_since) == ("inactive", ("missing",), "2026-09-15")  # fmt: skip
    assert (told["mum"].state, told["mum"].reasons) == ("absent", ("never-a-member",))
    assert (told["twin"].state, told["twin"].reasons) == ("absent", ("match-disputed",))
    desk.sync(left)
    assert [(found(desk, left)[one].state) for one in ("dot", "art")] == ["archived", "archived"]


def test_where_no_classes_are_synced_none_are_told_of() -> None:
    desk = Desk(policy=preset("teachers-and-schools"))
    desk.sync(riverbend())
    told = found(desk, riverbend())
    assert not {"maths", "art", "choir"} & told.keys()
    assert (told["dot"].state, told["dot"].reasons) == ("absent", ("role-not-mapped",))
