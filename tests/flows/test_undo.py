"""Going back to the roster as it was before a run."""

import json
from itertools import chain
from pathlib import Path

import pytest

from rollbook.flows import holds
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.undo import NotUndoable, prepare_return, prepare_undo
from rollbook.generator.generate import generate
from rollbook.store.models import RECORDS, Connection, District, Run
from rollbook.store.visibility import Reader
from tests.delivered import a_district, a_grant, active, deliver, everything, reader_of
from tests.flows.rekeyed import rekey
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


def night(tmp_path: Path, number: int) -> Path:
    generate(tmp_path / f"night-{number}", 150, 3, number)
    return tmp_path / f"night-{number}"


def the_first_night(folder: Path) -> District:
    district = a_district()
    deliver(district, night(folder, 0))
    return district


def twenty_nights_later(folder: Path) -> tuple[District, Run]:
    district = the_first_night(folder)
    return district, deliver(district, night(folder, 20))


district = kept(the_first_night)
later = kept(twenty_nights_later)


def undo(run: Run) -> Run:
    undone = carry_out(prepare_undo(run, "a test"))
    return holds.apply_once(undone.hold, "a test", "a test") if undone.outcome == "held" else undone


def back_to(run: Run) -> Run:
    returned = carry_out(prepare_return(run, "a test"))
    return holds.apply_once(returned.hold, "a test", "a test") if returned.outcome == "held" else returned


def served(reader: Reader) -> dict[str, list[str]]:
    """The bytes of every active record of every collection, in order, but for the moment it was last changed."""
    return {
        path: [
            json.dumps({name: value for name, value in record.items() if name != "dateLastModified"})
            for record in everything(reader, path)
            if record["status"] == "active"
        ]
        for path in (
            "/orgs",
            "/academicSessions",
            "/courses",
            "/classes",
            "/users",
            "/enrollments",
            "/demographics",
        )
    }


def stored(district: District) -> dict[str, list[dict]]:
    """Every active row of the roster, with every value; metadata as it is meant, for its spaces mean nothing."""
    rows = {
        name: list(model.objects.filter(district=district.pk, status="active").order_by("id").values())
        for name, model in RECORDS.items()
    }
    for row in chain.from_iterable(rows.values()):
        row["metadata"] = json.loads(row["metadata"] or "{}")
        row["metadata_folded"] = json.loads(row["metadata_folded"] or "{}")
    return rows


def test_undoing_one_run_brings_every_value_back(district, tmp_path):
    reader = reader_of(a_grant(district))
    before, seen = stored(district), active(everything(reader, "/enrollments"))
    run = deliver(district, night(tmp_path, 40))
    assert {action for actions in run.plan.counts.values() for action in actions} >= {
        "create",
        "update",
        "delete",
    }
    assert stored(district) != before
    undone = undo(run)
    assert (undone.outcome, undone.undoes_id) == ("success", run.pk)
    assert stored(district) == before
    assert active(everything(reader, "/enrollments")) == seen


def test_undoing_an_earlier_run_takes_back_what_came_after(district, tmp_path):
    before = stored(district)
    first = deliver(district, night(tmp_path, 10))
    deliver(district, night(tmp_path, 20))
    deliver(district, night(tmp_path, 30))
    undo(first)
    assert stored(district) == before


def test_an_undo_can_be_undone_and_the_next_delivery_compares_with_what_is_there(later, tmp_path):
    district, run = later
    after = stored(district)
    undone = undo(run)
    undo(undone)
    assert stored(district) == after
    assert deliver(district, night(tmp_path, 20)).message == "Nothing changed."


def test_back_to_the_first_of_three_nights_and_forward_again(tmp_path):
    district = a_district()
    reader = reader_of(a_grant(district))
    nights, roster, pages = [], [], []
    for number in (0, 20, 40):
        nights.append(deliver(district, night(tmp_path, number)))
        roster.append(stored(district))
        pages.append(served(reader))
    assert pages[0] != pages[1] != pages[2]
    returned = back_to(nights[0])
    assert (returned.outcome, returned.flow, returned.undoes_id) == ("success", "undo", nights[1].pk)
    assert stored(district) == roster[0]
    assert served(reader) == pages[0]
    back_to(nights[2])
    assert stored(district) == roster[2]
    assert served(reader) == pages[2]
    back_to(nights[1])
    assert served(reader) == pages[1]
    assert deliver(district, night(tmp_path, 20)).message == "Nothing changed."


def test_an_undo_is_weighed_like_any_plan(district):
    run = Run.objects.get(district=district)
    undone = carry_out(prepare_undo(run, "a test"))
    assert undone.outcome == "held"
    assert {hazard["code"] for hazard in undone.hold.hazards} >= {"to-zero", "delete-percent"}
    assert stored(district)["users"]


def test_a_relink_can_be_undone(district, tmp_path):
    before = stored(district)
    rekeyed = rekey(night(tmp_path, 0), tmp_path / "rekeyed")
    held = carry_out(prepare(Connection.objects.get(district=district), rekeyed, "a test"))
    again = holds.relink(held.hold, "a test", "a test")
    run = holds.apply_once(again.hold, "a test", "a test")
    assert stored(district) != before
    undo(run)
    assert stored(district) == before


def test_what_changed_nothing_cannot_be_undone(district):
    refused = Run.objects.create(district=district, flow="ingest", outcome="refused", phase="kept")
    with pytest.raises(NotUndoable):
        prepare_undo(refused, "a test")
