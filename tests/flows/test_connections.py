"""Several ways into one district: none touches another's records; and what is said when one falls silent."""

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.test import override_settings
from django.utils import timezone

from rollbook.connectors.contract import BadSetting
from rollbook.engine.package import NotAPackage
from rollbook.flows import connections, drops, holds, jobs, operators, post, timetable
from rollbook.flows.fetch import NothingToFetch, fetched
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.manual import acts, records
from rollbook.flows.manual.acts import Wanted
from rollbook.flows.manual.entries import Entry, entry_of
from rollbook.flows.overdue import overdue, watch
from rollbook.flows.undo import prepare_undo
from rollbook.generator.generate import generate
from rollbook.store.found import found_by
from rollbook.store.models import RECORDS, AuditEntry, Connection, District, Run
from tests import cast
from tests.delivered import a_district, a_grant, everything, reader_of
from tests.flows.rekeyed import rekey
from tests.installation import free_port
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)


class Brought(NamedTuple):
    """A district, and the package that came in by its first connection."""

    district: District
    package: Path


def first_package(folder: Path) -> Brought:
    made = Brought(a_district(), a_package(folder / "one"))
    bring(Connection.objects.get(district=made.district), made.package)
    return made


brought = kept(first_package)


@pytest.fixture
def district(request: pytest.FixtureRequest) -> District:
    """Without a record in its roster, unless the test begins with what was `brought`."""
    return request.getfixturevalue("brought").district if "brought" in request.fixturenames else a_district()


@pytest.fixture
def first(district: District) -> Connection:
    return Connection.objects.get(district=district)


@pytest.fixture
def second(district: District) -> Connection:
    return connections.add_connection(district, "upload", "Charter schools", {}, prefix="charter-")


def a_package(folder: Path, seed: int = 7, night: int = 0) -> Path:
    generate(folder, 100, seed, night)
    return folder


def bring(connection: Connection, package: Path) -> Run:
    run = carry_out(prepare(connection, package, "a test"))
    return holds.apply_once(run.hold, "a test", "a test") if run.outcome == "held" else run


def all_deleted(package: Path, folder: Path) -> Path:
    """A delta that says of every record of the package that it is to be deleted."""
    folder.mkdir()
    for file in package.iterdir():
        header, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
        said = [dict(zip(header, row, strict=True)) for row in rows]
        for row in said:
            if file.name == "manifest.csv":
                row["value"] = row["value"].replace("bulk", "delta")
            else:
                row |= {"status": "tobedeleted", "dateLastModified": "2026-09-02T00:00:00.000Z"}
        with (folder / file.name).open("w", newline="", encoding="utf-8") as target:
            csv.writer(target).writerows([header, *(row.values() for row in said)])
    return folder


def only_headers(package: Path, folder: Path) -> Path:
    """The package without any of its records."""
    folder.mkdir()
    for file in package.iterdir():
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = lines if file.name == "manifest.csv" else lines[:1]
        (folder / file.name).write_text("".join(kept), encoding="utf-8")
    return folder


def owned_by(connection: Connection) -> dict[str, list[dict]]:
    return {
        name: list(
            model.objects.filter(district=connection.district_id, connection_id=connection.pk)
            .order_by("id")
            .values()
        )
        for name, model in RECORDS.items()
    }


def test_one_connection_never_touches_anothers_rows(brought, first, second, tmp_path):
    package, later = brought.package, a_package(tmp_path / "later", night=60)
    mine = owned_by(first)
    bring(second, package)
    assert owned_by(first) == mine
    theirs = owned_by(second)
    assert all(row["sourced_id"] == f"charter-{row['source_id']}" for row in theirs["users"])
    run = bring(second, later)
    assert run.plan.counts
    assert owned_by(first) == mine
    bring(second, rekey(later, tmp_path / "rekeyed"))
    assert owned_by(first) == mine
    undone = carry_out(prepare_undo(run, "a test"))
    if undone.outcome == "held":
        holds.apply_once(undone.hold, "a test", "a test")
    assert owned_by(first) == mine
    assert bring(first, package).message == "Nothing changed."


def test_both_connections_are_served_side_by_side(brought, district, second):
    bring(second, brought.package)
    ids = {record["sourcedId"] for record in everything(reader_of(a_grant(district)), "/users")}
    plain = {one for one in ids if not one.startswith("charter-")}
    assert {f"charter-{one}" for one in plain} == ids - plain


def without_users(package: Path, folder: Path, gone: set[str]) -> Path:
    """The package without some of its people, and all that is said of them."""
    folder.mkdir()
    for file in package.iterdir():
        header, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
        whose = {"users.csv": "sourcedId", "demographics.csv": "sourcedId"}.get(file.name, "userSourcedId")
        place = header.index(whose) if whose in header else None
        kept = [row for row in rows if place is None or row[place] not in gone]
        with (folder / file.name).open("w", newline="", encoding="utf-8") as target:
            csv.writer(target).writerows([header, *kept])
    return folder


def test_of_two_connections_that_bring_the_same_the_first_keeps_it_and_the_second_is_told(
    brought, district, first
):
    mine = owned_by(first)
    clashing = connections.add_connection(district, "upload", "Without a prefix", {})
    run = bring(clashing, brought.package)
    assert run.outcome == "empty"
    assert owned_by(first) == mine
    assert not any(owned_by(clashing).values())
    found = [one for one in found_by(run).listed if one.code == "id-taken"]
    assert {one.file for one in found} >= {"orgs.csv", "users.csv", "classes.csv", "enrollments.csv"}
    assert [one for one in found if one.line and f"“{first.name}”" not in one.message] == []
    assert {one.line for one in found if one.file == "orgs.csv"} == set(range(2, len(mine["orgs"]) + 2))


def test_a_second_connection_brings_what_is_new_beside_what_the_first_has(brought, district, first, tmp_path):
    """Both systems know the same schools; each has pupils of its own."""
    reader = reader_of(a_grant(district))
    served = [record["sourcedId"] for record in everything(reader, "/users")]
    pupils = set(sorted(served)[:10])
    before = {row["source_id"]: row["id"] for row in owned_by(first)["users"] if row["source_id"] in pupils}
    bring(first, without_users(brought.package, tmp_path / "without", pupils))
    assert {row["status"] for row in owned_by(first)["users"] if row["id"] in before.values()} == {
        "tobedeleted"
    }
    other = connections.add_connection(district, "upload", "The other system", {})
    run = bring(other, brought.package)
    assert run.outcome == "success"
    moved = owned_by(other)["users"]
    assert {row["source_id"]: row["id"] for row in moved} == before, "they stay the records they were"
    assert {row["status"] for row in moved} == {"active"}
    assert [record["sourcedId"] for record in everything(reader, "/users")] == served
    assert {row["user_id"] for row in owned_by(other)["enrollments"]} <= set(before.values())
    assert bring(first, tmp_path / "without").message == "Nothing changed."
    assert bring(other, brought.package).message == "Nothing changed."


def test_a_pupil_who_moves_between_two_systems_is_one_record_all_the_way(brought, district, first, tmp_path):
    other = connections.add_connection(district, "upload", "The other system", {})
    pupil = owned_by(first)["users"][0]
    without = without_users(brought.package, tmp_path / "without", {pupil["source_id"]})
    leaving = bring(first, without)
    arriving = bring(other, brought.package)
    assert [row["id"] for row in owned_by(other)["users"]] == [pupil["id"]]
    held_back = bring(first, brought.package)
    assert held_back.message == "Nothing changed."
    assert "id-taken" in {one.code for one in found_by(held_back).listed}
    undone = carry_out(prepare_undo(leaving, "a test"))
    assert undone.message == "Nothing changed.", "what went to the other stays there"
    assert [row["id"] for row in owned_by(other)["users"]] == [pupil["id"]]
    taken_back = carry_out(prepare_undo(arriving, "a test"))
    taken_back = holds.apply_once(taken_back.hold, "a test", "a test")  # a collection would go to zero
    assert (taken_back.outcome, owned_by(other)["users"][0]["status"]) == ("success", "tobedeleted")
    assert bring(first, brought.package).outcome == "success"
    assert not owned_by(other)["users"]
    [back] = [row for row in owned_by(first)["users"] if row["id"] == pupil["id"]]
    assert back == pupil


def test_what_a_removed_connection_left_comes_back_by_another(district, first, tmp_path):
    away = connections.add_connection(district, "upload", "For a while", {}, prefix="w-")
    package = a_package(tmp_path / "one")
    run = bring(away, package)
    before = {name: {row["sourced_id"]: row["id"] for row in rows} for name, rows in owned_by(away).items()}
    undone = carry_out(prepare_undo(run, "a test"))
    assert undone.outcome == "held"
    holds.apply_once(undone.hold, "a test", "a test")
    connections.remove_connection(away)
    connections.edit_connection(first, {}, prefix="w-")
    assert bring(first, package).outcome == "success"
    now = owned_by(first)
    assert {name: {row["sourced_id"]: row["id"] for row in rows} for name, rows in now.items()} == before
    assert {row["status"] for rows in now.values() for row in rows} == {"active"}
    assert bring(first, package).message == "Nothing changed."


def test_who_was_kept_by_hand_is_the_systems_once_the_manual_record_is_deleted(district, first, tmp_path):
    package = a_package(tmp_path / "one")
    with (package / "users.csv").open(encoding="utf-8", newline="") as file:
        pupil = next(row for row in csv.DictReader(file) if row["grades"])["sourcedId"]
    bring(first, without_users(package, tmp_path / "without", {pupil}))
    school = next(row["sourced_id"] for row in owned_by(first)["orgs"] if row["type"] == "school")
    about = {"givenName": "Ana", "familyName": "Reyes", "username": "areyes", "enabledUser": "true"}
    entry = Entry("users", pupil, about, ({"role": "student", "orgSourcedId": school},))
    acts.do(district, Wanted("add", entry), "a test")
    by_hand = acts.own_record(district, "users", pupil)
    told = found_by(bring(first, package)).listed
    assert "“Manual records”" in next(one.message for one in told if one.code == "id-taken")
    kept = {row["user_id"] for row in owned_by(first)["enrollments"]}
    assert by_hand.id in kept, "what the system says of them is said of the manual record"
    acts.do(
        district,
        Wanted("delete", entry_of(acts.manual_connection(district), by_hand, "users"), by_hand),
        "a test",
    )
    assert bring(first, package).outcome == "success"
    [now] = [row for row in owned_by(first)["users"] if row["source_id"] == pupil]
    assert (now["id"], now["status"]) == (by_hand.id, "active")
    assert now["given_name"] != "Ana"
    assert not records.manual_people(district, status="all")


@pytest.mark.parametrize("prefix", ["a,b-", "a b", 'é"', "x" * 41])
def test_a_prefix_that_would_break_ids_is_refused(district, prefix):
    with pytest.raises((connections.BadPrefix, connections.PrefixTooLong)):
        connections.add_connection(district, "upload", "Charter schools", {}, prefix=prefix)


def test_a_prefix_of_letters_digits_and_the_signs_of_ids_is_taken(district):
    made = connections.add_connection(district, "upload", "Charter schools", {}, prefix=" North.1-_/@ ")
    assert made.prefix == "North.1-_/@"
    with pytest.raises(connections.BadPrefix):
        connections.edit_connection(made, {}, prefix="a,b-")
    assert connections.find_connection(made.pk).prefix == "North.1-_/@"


def test_a_connection_with_a_prefix_from_before_it_was_judged_can_still_be_changed(second):
    Connection.objects.filter(pk=second.pk).update(prefix="a,b-")
    second.refresh_from_db()
    connections.edit_connection(second, {}, prefix="a,b-", enabled=False)
    assert not connections.find_connection(second.pk).enabled


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nightly.zip", b"junk", "What came is not a zip."),
        ("nightly.zip", b"", "What came is empty."),
        ("users.csv", b"sourcedId,status", "What came is a single CSV file."),
        ("LETTER", b"Dear office", "What came is not a zip."),
    ],
)
def test_what_is_no_package_is_never_called_as_it_is_kept(district, first, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotAPackage) as refusal:
        prepare(first, tmp_path / name, "a test")
    run = Run.objects.get(connection=first)
    assert (run.outcome, run.message) == ("refused", str(refusal.value))
    assert run.message.startswith(words)
    assert run.snapshot.shelf_name.rsplit("/", 1)[1] not in run.message


def test_a_connection_whose_first_import_was_taken_back_can_be_removed(brought, first):
    with pytest.raises(connections.HasRecords):
        connections.remove_connection(first)
    undone = carry_out(prepare_undo(Run.objects.filter(connection=first).earliest("pk"), "a test"))
    assert undone.outcome == "held"
    holds.apply_once(undone.hold, "a test", "a test")
    connections.remove_connection(first)
    assert not Connection.objects.filter(pk=first.pk).exists()


def test_a_connection_of_which_a_delta_deleted_every_record_can_be_removed(brought, first, tmp_path):
    bring(first, all_deleted(brought.package, tmp_path / "delta"))
    connections.remove_connection(first)
    assert not Connection.objects.filter(pk=first.pk).exists()


def test_files_of_headers_alone_leave_a_connection_its_records(brought, first, tmp_path):
    bring(first, only_headers(brought.package, tmp_path / "empty"))
    with pytest.raises(connections.HasRecords):
        connections.remove_connection(first)


REST = {"url": "https://sis.example/ims/oneroster/v1p1", "sign_in": "bearer", "token": "tulips-and-thunder"}


def test_its_deliveries_come_another_way_and_all_else_stays(brought, first):
    mine, runs = owned_by(first), list(first.runs.values_list("pk", flat=True))
    connections.edit_connection(first, {}, expected_every_hours=26)
    changed = connections.change_way(first, "oneroster_rest", REST)
    kept = connections.find_connection(first.pk)
    assert (changed.pk, kept.kind, kept.settings["sign_in"]) == (first.pk, "oneroster_rest", "bearer")
    assert connections.secrets_of(kept) == {"token": "tulips-and-thunder"}
    assert (kept.name, kept.prefix, kept.expected_every_hours) == (first.name, first.prefix, 26)
    assert owned_by(kept) == mine
    assert list(kept.runs.values_list("pk", flat=True)) == runs
    assert bring(kept, brought.package).message == "Nothing changed."
    assert prepare_undo(Run.objects.get(pk=runs[0]), "a test").changes == sum(map(len, mine.values()))


def test_of_the_way_it_came_before_nothing_is_kept(first):
    connections.change_way(first, "oneroster_rest", REST)
    timetable.set_schedule(connections.find_connection(first.pk), ["02:30"], ["mon"], "a test")
    connections.change_way(first, "upload", {})
    kept = connections.find_connection(first.pk)
    assert (kept.kind, kept.settings, kept.secrets) == ("upload", {}, "")
    assert timetable.schedule_of(kept) is None
    [first_change, second_change] = AuditEntry.objects.filter(act="connection.change").order_by("pk")
    after = json.loads(first_change.after)
    assert after["kind"] == json.loads(second_change.before)["kind"] == "oneroster_rest"
    assert after["secretsGiven"] == ["token"]
    assert "tulips" not in first_change.after + second_change.before


def test_a_schedule_stays_where_there_is_still_somebody_to_ask(first):
    connections.change_way(first, "oneroster_rest", REST)
    timetable.set_schedule(connections.find_connection(first.pk), ["02:30"], ["mon"], "a test")
    pulled = {
        "host": "sftp.sis.example",
        "login": "riverbend",
        "password": "tulips",
        "path": "/out/roster.zip",
    }
    connections.change_way(first, "sftp_pull", pulled)
    assert timetable.schedule_of(first) is not None


def test_the_way_does_not_change_under_an_import_nor_to_what_is_none(district, first):
    with pytest.raises(connections.SameWay):
        connections.change_way(first, "upload", {})
    with pytest.raises(connections.NoSuchKind):
        connections.change_way(first, "manual", {})
    with pytest.raises(connections.KeptByHand):
        connections.change_way(acts.manual_connection(district), "upload", {})
    with pytest.raises(BadSetting):
        connections.change_way(first, "oneroster_rest", {"url": "ftp://sis.example"})
    with pytest.raises(connections.NoSuchOption):
        connections.change_way(first, "oneroster_rest", {"host": "sis.example"})
    waits = Run.objects.create(
        district=district, connection=first, flow="ingest", phase="waiting", started_by="a test"
    )
    with pytest.raises(connections.UnderWay):
        connections.change_way(first, "oneroster_rest", REST)
    assert connections.find_connection(first.pk).kind == "upload"
    Run.objects.filter(pk=waits.pk).update(outcome="cancelled")
    connections.change_way(first, "oneroster_rest", REST)


def test_a_fetch_that_waited_while_the_way_changed_is_refused_in_words(district, first, tmp_path):
    with pytest.raises(NothingToFetch):
        fetched(first, tmp_path, timezone.now(), print)


def test_what_was_brought_stays_in_the_inbox_of_a_connection_that_comes_another_way(
    district, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    login = {"login": "riverbend", "password": "tulips-and-thunder-42"}
    drop = connections.add_connection(district, "sftp_drop", "Nightly", login)
    inbox = drops.home(drop.pk) / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "users.csv").write_text("sourcedId")
    connections.change_way(drop, "upload", {})
    drops.forget_the_removed()
    assert (inbox / "users.csv").exists()
    connections.remove_connection(connections.find_connection(drop.pk))
    drops.forget_the_removed()
    assert not inbox.exists()


def test_a_prefix_stays_once_there_are_records(second, tmp_path):
    connections.edit_connection(second, {}, prefix="c-")
    bring(second, a_package(tmp_path / "one"))
    with pytest.raises(connections.PrefixKept):
        connections.edit_connection(second, {}, prefix="d-")


def test_two_connections_of_one_district_have_two_names(district, second):
    with pytest.raises(connections.NameNeeded):
        connections.add_connection(district, "upload", "Charter schools", {})


def test_a_server_that_cannot_be_reached_is_a_failed_run_of_its_connection(district):
    made = connections.add_connection(
        district, "sftp_pull", "Pull",
        {"host": "127.0.0.1", "port": str(free_port()), "login": "x", "password": "y", "path": "/out.zip", "timeout_seconds": "2"},
    )  # fmt: skip
    run = jobs.enqueue_fetch(made, "a test")
    jobs.work_off()
    run.refresh_from_db()
    assert (run.outcome, run.phase, run.connection_id) == ("failed", "fetching", made.pk)
    assert run.message


def test_who_is_enrolled_by_another_connection_leaves_no_class_without_them(
    district, first, second, tmp_path
):
    seat, *_ = (row for row in cast.demo.rows("1.2")["enrollments"] if row["role"] == "teacher")
    bring(first, cast.riverbend(tmp_path / "one"))
    short = cast.riverbend(tmp_path / "short", {"enrollments": {seat["sourcedId"]: None}})
    assert "class-without-teacher" in codes(first, short)
    bring(second, cast.riverbend_delta(tmp_path / "theirs", {"enrollments": {seat["sourcedId"]: {}}}))
    assert "class-without-teacher" not in codes(first, short)


def codes(connection: Connection, package: Path) -> set[str]:
    return {code.code for code, *_ in prepare(connection, package, "a test").findings.by_code()}


# --- The watch ------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mailbox() -> Iterator[list[tuple[list[str], str]]]:
    """What a real SMTP server received: (recipients, the message as text). Rollbook's mail settings point to it."""
    received: list[tuple[list[str], str]] = []

    class Kept(Message):
        def handle_message(self, message) -> None:
            received.append(
                (message["X-RcptTo"].split(", "), f"{message['Subject']}\n{message.get_payload()}")
            )

    server = Controller(Kept(), hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        with override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=server.port,
        ):
            yield received
    finally:
        server.stop()


def test_a_held_import_is_told_by_real_mail_to_each_operator(brought, district, first, mailbox, tmp_path):
    for name in ("brandt", "tanaka"):
        operators.add_operator(f"{name}@riverbend.example", operators.DISTRICT, district)
    held = carry_out(prepare(first, rekey(brought.package, tmp_path / "rekeyed"), "a test"))
    assert held.outcome == "held"
    post.send_due()
    assert sorted(to for to, _ in mailbox) == [["brandt@riverbend.example"], ["tanaka@riverbend.example"]]
    assert f"/districts/{district.pk}/imports/{held.pk}" in mailbox[0][1]
    assert "re-link them" in mailbox[0][1]


def test_silence_is_told_once_until_something_comes_in_again(district, first, mailbox, tmp_path):
    operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district)
    connections.edit_connection(first, {}, expected_every_hours=24)
    bring(first, a_package(tmp_path / "one"))
    now = timezone.now()
    assert watch(district.pk, now + timedelta(hours=24) - timedelta(minutes=1)) == 0
    assert overdue(district.pk, now) == []
    late = now + timedelta(hours=25)
    assert watch(district.pk, late) == 1
    assert watch(district.pk, late + timedelta(hours=1)) == 0
    assert [one.connection for one in overdue(district.pk, late)] == [first]
    post.send_due()
    [(_, text)] = mailbox
    assert "No import came in" in text
    assert "every 24 hours" in text
    # Something comes in: the silence is over, and the next one is told again.
    Run.objects.filter(connection=first).update(ended_at=late)
    assert watch(district.pk, late + timedelta(hours=1)) == 0
    assert watch(district.pk, late + timedelta(hours=26)) == 1
    post.send_due()
    assert len(mailbox) == 2


def test_a_failed_import_does_not_end_the_silence(district, first):
    connections.edit_connection(first, {}, expected_every_hours=1)
    later = timezone.now() + timedelta(hours=2)
    Run.objects.create(district=district, connection=first, flow="ingest", outcome="failed", ended_at=later)
    assert [one.connection for one in overdue(district.pk, later)] == [first]


def test_what_is_switched_off_is_not_watched(district, first):
    connections.edit_connection(first, {}, expected_every_hours=1, enabled=False)
    assert overdue(district.pk, timezone.now() + timedelta(days=9)) == []
