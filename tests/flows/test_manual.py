"""Manual records: kept by hand beside imports, by the road of every delivery; what becomes of them when what they hang on goes."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.engine.stakes import ADMINISTRATORS
from rollbook.flows import connections
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.jobs import enqueue_delivery
from rollbook.flows.manual import acts, records
from rollbook.flows.manual.acts import Wanted
from rollbook.flows.manual.entries import Entry, entry_of
from rollbook.flows.publish import publish
from rollbook.flows.snapshots import prune_shelf
from rollbook.flows.undo import prepare_undo
from rollbook.store import shelf
from rollbook.store.models import (
    RECORDS,
    Connection,
    District,
    Enrollment,
    Grant,
    Progress,
    Role,
    Run,
    Snapshot,
    User,
)
from rollbook.store.visibility import Reader
from tests import cast
from tests.cast import (
    ALGEBRA,
    AMARA,
    ART,
    DISTRICT,
    MS_TANAKA,
    RIVERBEND_HIGH,
    RIVERBEND_MIDDLE,
)
from tests.console.roster import load_riverbend
from tests.delivered import Record, a_district, a_grant, by_id, everything, one, reader_of
from tests.kept import kept

pytestmark = pytest.mark.django_db

ADA = {
    "givenName": "Ada",
    "familyName": "Reyes",
    "username": "areyes",
    "email": "a.reyes@riverbend.example",
    "enabledUser": "true",
}


def owned_by_uploads(_: Path) -> District:
    """Riverbend is in the roster, and owned by the connection for uploads."""
    district = a_district()
    load_riverbend(district)
    return district


def published(folder: Path) -> District:
    district = owned_by_uploads(folder)
    publish(district.pk, None, "a test")
    return District.objects.get(pk=district.pk)


unpublished = kept(owned_by_uploads)
district = kept(published)


@pytest.fixture
def imported(riverbend: District) -> District:
    """By the real road."""
    return riverbend


def bring(district: District, package: Path) -> Run:
    """A package comes in by the district's imports, and is applied whatever the limits say."""
    prepared = prepare(Connection.objects.get(district=district, kind="upload"), package, "a test")
    prepared.hazards.clear()
    prepared.run.plan.hazards = []
    return carry_out(prepared)


def person(sourced_id: str = "ada", *roles: tuple[str, str], **values: str) -> Entry:
    given = roles or (("siteAdministrator", RIVERBEND_HIGH),)
    typed = tuple({"role": role, "orgSourcedId": org} for role, org in given)
    return Entry("users", sourced_id, ADA | values, typed)


def seat(sourced_id: str, user: str, place: str, role: str = "teacher", **values: str) -> Entry:
    return Entry(
        "enrollments",
        sourced_id,
        {"userSourcedId": user, "classSourcedId": place, "role": role, **values},
    )


def add(district: District, entry: Entry) -> Run:
    return acts.do(district, Wanted("add", entry), "brandt")


def act(district: District, verb: str, collection: str, sourced_id: str) -> Run:
    record = acts.own_record(district, collection, sourced_id)
    return acts.do(district, Wanted(verb, Entry(collection, sourced_id), record), "brandt")


def edit(district: District, entry: Entry) -> Run:
    record = acts.own_record(district, entry.collection, entry.sourced_id)
    return acts.do(district, Wanted("edit", entry, record), "brandt")


def reader(district: District) -> Reader:
    grant = Grant.objects.filter(district=district).first()
    return reader_of(grant or a_grant(district))


def served(district: District, path: str) -> dict[str, Record]:
    return by_id(everything(reader(district), path, version="1.2"))


def shown(district: District, sourced_id: str) -> Record:
    return one(reader(district), "/users/{sourcedId}", sourced_id, version="1.2")


# --- Adding, editing, deleting, restoring -----------------------------------------------------------------------------------------


def test_a_person_added_by_hand_is_served_at_once_with_role_and_school(unpublished):
    district = unpublished
    run = add(district, person())
    assert (run.flow, run.outcome, run.started_by) == ("manual", "success", "brandt")
    ada = served(district, "/users")["ada"]
    assert ada["familyName"] == "Reyes"
    assert [role["role"] for role in ada["roles"]] == ["siteAdministrator"]
    assert ada["primaryOrg"]["sourcedId"] == RIVERBEND_HIGH
    kept = User.objects.get(district=district, sourced_id="ada")
    assert Connection.objects.get(pk=kept.connection_id).kind == "manual"


def test_what_is_shown_is_the_plan_and_nothing_of_it_is_stored(district):
    before = (Run.objects.count(), Snapshot.objects.count())
    found = acts.show(district, Wanted("add", person()))
    assert [(one.collection, one.action) for one in found.changes] == [
        ("users", "create"),
        ("roles", "create"),
    ]
    assert {"familyName", "email"} <= {difference.field for difference in found.changes[0].differences}
    assert (Run.objects.count(), Snapshot.objects.count()) == before
    assert not User.objects.filter(district=district, sourced_id="ada").exists()


def test_an_edit_changes_the_values_and_the_roles_and_shows_before_and_after(district):
    add(district, person("ada", ("siteAdministrator", RIVERBEND_HIGH), ("teacher", RIVERBEND_MIDDLE)))
    record = acts.own_record(district, "users", "ada")
    stored = entry_of(acts.manual_connection(district), record, "users")
    kept = {**stored.roles[0], "role": "principal"}
    wanted = Wanted(
        "edit", Entry("users", "ada", {**stored.values, "familyName": "Reyes-Lund"}, (kept,)), record
    )
    found = acts.show(district, wanted)
    told = {(one.collection, one.action): one for one in found.changes}
    assert told.keys() == {("users", "update"), ("roles", "update"), ("roles", "delete")}
    [name] = told["users", "update"].differences
    assert (name.field, name.before, name.after) == ("familyName", "Reyes", "Reyes-Lund")
    acts.do(district, wanted, "brandt", found.fingerprint)
    ada = shown(district, "ada")
    assert ada["familyName"] == "Reyes-Lund"
    assert [(role["role"], role["org"]["sourcedId"]) for role in ada["roles"]] == [
        ("principal", RIVERBEND_HIGH)
    ]


def test_a_role_that_comes_again_is_not_the_one_that_was_taken_away(district):
    add(district, person("ada", ("teacher", RIVERBEND_HIGH)))
    edit(district, person("ada", ("aide", RIVERBEND_HIGH)))
    edit(district, person("ada", ("teacher", RIVERBEND_HIGH)))
    every = Role.objects.filter(district=district, source_id__startswith="ada-role-").order_by("id")
    assert list(every.values_list("source_id", "role", "status")) == [
        ("ada-role-1", "teacher", "tobedeleted"),
        ("ada-role-2", "aide", "tobedeleted"),
        ("ada-role-3", "teacher", "active"),
    ]


def test_a_deleted_person_is_a_tombstone_and_comes_back_with_values_roles_and_enrollments(district):
    add(district, person())
    add(district, seat("ada-art", "ada", ART))
    before = shown(district, "ada")
    act(district, "delete", "users", "ada")
    gone = served(district, "/users")["ada"]
    assert (gone["status"], gone["familyName"]) == ("tobedeleted", "")
    assert served(district, "/enrollments")["ada-art"]["status"] == "tobedeleted"
    act(district, "restore", "users", "ada")
    back = shown(district, "ada")
    assert {**back, "dateLastModified": ""} == {**before, "dateLastModified": ""}
    assert served(district, "/enrollments")["ada-art"]["status"] == "active"


def test_an_enrollment_is_at_the_school_of_its_class_and_refers_to_what_imports_own(district):
    add(district, seat("hand-1", AMARA, ART, "student", beginDate="2026-09-01"))
    found = served(district, "/enrollments")["hand-1"]
    assert found["user"]["sourcedId"] == AMARA
    assert found["class"]["sourcedId"] == ART
    assert found["school"]["sourcedId"] == RIVERBEND_HIGH
    assert found["beginDate"] == "2026-09-01"


def test_an_enrollment_given_to_somebody_else_is_served_so_to_both(district):
    add(district, seat("hand-1", AMARA, ALGEBRA, "student"))
    edit(district, seat("hand-1", MS_TANAKA, ALGEBRA, "teacher"))
    found = served(district, "/enrollments")["hand-1"]
    assert (found["user"]["sourcedId"], found["role"]) == (MS_TANAKA, "teacher")


# --- Refusals ---------------------------------------------------------------------------------------------------------------------


def test_what_an_import_owns_is_not_edited_by_hand_and_its_owner_is_named(district):
    with pytest.raises(acts.NotManual, match="Uploaded packages"):
        acts.own_record(district, "users", AMARA)


def test_an_id_that_is_taken_is_refused_whoever_has_it(district):
    with pytest.raises(acts.IdTaken):
        add(district, person(AMARA))
    add(district, person())
    with pytest.raises(acts.IdTaken):
        acts.show(district, Wanted("add", person()))
    act(district, "delete", "users", "ada")
    with pytest.raises(acts.DeletedByHand):
        add(district, person())
    assert Run.objects.filter(district=district, flow="manual").count() == 2


def test_what_is_missing_or_wrong_is_said_field_by_field_and_nothing_is_kept(district):
    wrong = person("ada", ("teacher", "no-such-school"), ("nonsense", RIVERBEND_HIGH), givenName="")
    for attempt in (acts.show, lambda where, what: acts.do(where, what, "brandt")):
        with pytest.raises(acts.NotAccepted) as refused:
            attempt(district, Wanted("add", wrong))
        found = {(one.row, one.field) for one in refused.value.problems}
        assert {(None, "givenName"), (0, "orgSourcedId"), (1, "role")} <= found
    assert not Run.objects.filter(district=district, flow="manual").exists()
    assert not User.objects.filter(district=district, sourced_id="ada").exists()


def test_a_person_without_any_role_is_refused(district):
    with pytest.raises(acts.NotAccepted, match="at least one role"):
        add(district, Entry("users", "ada", ADA))


def test_an_enrollment_without_a_class_speaks_of_the_class_alone(district):
    with pytest.raises(acts.NotAccepted) as refused:
        add(district, seat("hand-1", AMARA, "no-such-class"))
    assert {one.field for one in refused.value.problems} == {"classSourcedId"}


def test_saving_what_is_so_already_changes_nothing(district):
    add(district, person())
    record = acts.own_record(district, "users", "ada")
    same = entry_of(acts.manual_connection(district), record, "users")
    with pytest.raises(acts.NothingToChange):
        acts.show(district, Wanted("edit", same, record))


def test_what_was_shown_is_done_or_shown_again(district):
    wanted = Wanted("add", person())
    seen = acts.show(district, wanted).fingerprint
    # Progress is told in the middle of transactions, and stays when a test's own is rolled back.
    told = Progress.objects.using("reading").count()
    with pytest.raises(acts.ShownOtherwise):
        acts.do(district, Wanted("add", person(familyName="Other")), "brandt", seen)
    assert not Run.objects.filter(district=district).exists()
    assert Progress.objects.using("reading").count() == told
    assert acts.do(district, wanted, "brandt", seen).outcome == "success"


def test_by_hand_waits_for_an_import_that_has_the_turn_and_loses_nothing(district):
    importing = Run.objects.create(district=district, flow="ingest", turn_at=timezone.now())
    with pytest.raises(acts.ImportUnderWay):
        add(district, person())
    Run.objects.filter(pk=importing.pk).update(outcome="success")
    assert add(district, person()).outcome == "success"


def test_somebody_alike_is_told_of_by_id(district):
    tanaka = User.objects.get(district=district, sourced_id=MS_TANAKA)
    notes = acts.show(district, Wanted("add", person(email=tanaka.email.upper()))).notes
    assert any(MS_TANAKA in note and "same email" in note for note in notes)
    assert tanaka.family_name not in str(notes)


def test_the_last_administrator_of_the_district_is_spoken_of(district):
    add(district, person())
    record = acts.own_record(district, "users", "ada")
    gone = Wanted("delete", Entry("users", "ada"), record)
    assert acts.show(district, gone).notes == []
    imported = Role.objects.filter(district=district).exclude(source_id="ada-role-1")
    imported.filter(role__in=ADMINISTRATORS).update(role="aide")
    assert "last administrator" in str(acts.show(district, gone).notes)
    demoted = Wanted("edit", person("ada", ("teacher", RIVERBEND_HIGH)), record)
    assert "last administrator" in str(acts.show(district, demoted).notes)
    stays = Wanted("edit", person("ada", ("principal", RIVERBEND_HIGH)), record)
    assert acts.show(district, stays).notes == []


def test_nobody_brings_a_package_in_by_the_manual_connection(district, tmp_path):
    manual = acts.manual_connection(district)
    with pytest.raises(connections.KeptByHand):
        connections.upload_of(district, manual.pk)
    with pytest.raises(connections.KeptByHand):
        enqueue_delivery(manual, tmp_path, "brandt")
    with pytest.raises(connections.NoSuchKind):
        connections.add_connection(district, "manual", "Another", {})
    with pytest.raises(connections.PrefixKept):
        connections.edit_connection(manual, {}, prefix="m-")


def test_the_manual_connection_stays_while_anything_could_come_back(district):
    add(district, seat("hand-1", AMARA, ART, "student"))
    act(district, "delete", "enrollments", "hand-1")
    with pytest.raises(connections.HasRecords):
        connections.remove_connection(acts.manual_connection(district))


# --- Beside imports ---------------------------------------------------------------------------------------------------------------


def test_manual_records_survive_full_imports_and_imports_find_their_snapshot_again(imported, tmp_path):
    add(imported, person())
    add(imported, seat("ada-art", "ada", ART))
    upload = Connection.objects.get(district=imported, kind="upload")
    imported.refresh_from_db()
    assert shelf.accepted_folder(upload, imported.generation).exists()
    assert bring(imported, cast.riverbend(tmp_path / "again")).message == "Nothing changed."
    changed = cast.riverbend(tmp_path / "changed", {"users": {AMARA: {"familyName": "Okonkwo-Bell"}}})
    assert bring(imported, changed).plan.counts == {"users": {"update": 1}}
    assert served(imported, "/users")["ada"]["status"] == "active"
    assert served(imported, "/enrollments")["ada-art"]["status"] == "active"


def test_a_class_that_an_import_deletes_takes_the_manual_enrollment_out_of_sight_until_it_is_back(
    imported, tmp_path
):
    add(imported, person())
    add(imported, seat("ada-art", "ada", ART))
    without = {
        "classes": {ART: None},
        "enrollments": {
            one.sourced_id: None
            for one in Enrollment.objects.filter(district=imported).exclude(sourced_id="ada-art")
            if one.class_id == RECORDS["classes"].objects.get(district=imported, sourced_id=ART).id
        },
    }
    bring(imported, cast.riverbend(tmp_path / "without", without))
    assert Enrollment.objects.get(district=imported, sourced_id="ada-art").status == "active"
    assert served(imported, "/enrollments")["ada-art"]["status"] == "tobedeleted"
    with pytest.raises(acts.NotAccepted):  # nothing new may refer to what is gone
        edit(imported, seat("ada-art", "ada", ART, "administrator"))
    bring(imported, cast.riverbend(tmp_path / "back"))
    assert served(imported, "/enrollments")["ada-art"]["status"] == "active"


def test_an_import_may_refer_to_people_kept_by_hand(imported, tmp_path):
    add(imported, person())
    seat_of_ada = {
        "userSourcedId": "ada", "classSourcedId": ART, "schoolSourcedId": RIVERBEND_HIGH, "role": "teacher", "primary": "",
        "beginDate": "", "endDate": "", "status": "", "dateLastModified": "",
    }  # fmt: skip
    run = bring(imported, cast.riverbend(tmp_path / "with", {"enrollments": {"sis-ada": seat_of_ada}}))
    assert run.plan.counts == {"enrollments": {"create": 1}}
    assert served(imported, "/enrollments")["sis-ada"]["user"]["sourcedId"] == "ada"


def test_the_snapshot_of_manual_records_is_made_again_from_the_roster(district):
    add(district, person("ada", ("teacher", RIVERBEND_HIGH), ("districtAdministrator", DISTRICT)))
    add(district, seat("ada-art", "ada", ART))
    manual = acts.manual_connection(district)
    district.refresh_from_db()
    shelf.delete(shelf.accepted_folder(manual, district.generation).parent)
    record = acts.own_record(district, "enrollments", "ada-art")
    same = entry_of(manual, record, "enrollments")
    with pytest.raises(acts.NothingToChange):
        acts.show(district, Wanted("edit", same, record))
    assert same.values["classSourcedId"] == ART


def test_an_undone_deletion_finds_the_class_of_the_import_again(district):
    add(district, seat("hand-1", AMARA, ALGEBRA, "student"))
    edit(district, seat("hand-1", AMARA, ART, "student"))
    changed = act(district, "delete", "enrollments", "hand-1")
    back = carry_out(prepare_undo(changed, "a test"))
    assert back.outcome == "success"
    assert served(district, "/enrollments")["hand-1"]["class"]["sourcedId"] == ART


# --- Looking -----------------------------------------------------------------------------------------------------------------------


def test_the_history_of_a_record_says_who_did_what_and_takes_in_roles_and_undoing(district):
    add(district, person())
    add(district, person("bo", givenName="Bo", username="bo", email=""))
    edit(district, person("ada", ("principal", RIVERBEND_HIGH), familyName="Lund"))
    deleted = act(district, "delete", "users", "ada")
    carry_out(prepare_undo(deleted, "tanaka"))
    events = records.history_of(acts.own_record(district, "users", "ada"), "users")
    assert [(one.run.flow, one.run.started_by) for one in events] == [
        ("undo", "tanaka"),
        ("manual", "brandt"),
        ("manual", "brandt"),
        ("manual", "brandt"),
    ]
    assert [[(change.collection, change.action) for change in one.changes] for one in events] == [
        [("users", "restore")],
        [("users", "delete")],
        [("users", "update"), ("roles", "create"), ("roles", "delete")],
        [("users", "create"), ("roles", "create")],
    ]


def test_the_history_outlives_the_snapshots(district):
    add(district, person())
    later = timezone.now() + timedelta(days=5000)
    edit(district, person("ada", familyName="Lund"))
    prune_shelf(district.pk, later)
    assert not Snapshot.objects.filter(district=district, removed_at__isnull=True).exists()
    events = records.history_of(acts.own_record(district, "users", "ada"), "users")
    assert [one.changes[0].action for one in events] == ["update", "create"]


def test_manual_records_are_listed_by_name_searched_and_narrowed_by_status(district):
    add(district, person())
    add(district, person("bo", givenName="Bö", username="bo", email="", familyName="Abel"))
    add(district, seat("ada-art", "ada", ART))
    assert [one.sourced_id for one in records.manual_people(district)] == ["bo", "ada"]
    assert [one.sourced_id for one in records.manual_people(district, "BÖ abel")] == ["bo"]
    assert [one.sourced_id for one in records.manual_enrollments(district, "reyes")] == ["ada-art"]
    act(district, "delete", "users", "bo")
    assert [one.sourced_id for one in records.manual_people(district)] == ["ada"]
    assert [one.sourced_id for one in records.manual_people(district, status="deleted")] == ["bo"]
    assert records.manual_people(district, status="all").count() == 2
