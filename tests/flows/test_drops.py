"""What was brought by SFTP becomes a run of its connection and is put away; the server that takes it in is tested in tests/sftp."""

import json
import shutil
from pathlib import Path

import pytest

from rollbook.connectors.sftp_drop import checked
from rollbook.flows import drops
from rollbook.flows.arrivals import take_in
from rollbook.flows.connections import remove_connection
from rollbook.flows.districts import add_district
from rollbook.flows.jobs import enqueue_delivery, work_off
from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.store.models import Connection, Run, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brought_to() -> Connection:
    return a_drop("riverbend")


def a_drop(login: str) -> Connection:
    kept, secrets = checked({"login": login}, {"password": "correct horse battery"})
    return Connection.objects.create(
        district=add_district("Riverbend"), kind="sftp_drop", name="SIS", settings=kept, secrets=json.dumps(secrets)
    )  # fmt: skip


def arrived(connection: Connection, package: Path = RIVERBEND) -> Path:
    """The package as the server leaves it: in a folder of its own among what has arrived."""
    folder = drops.home(connection.pk) / "arrived" / "1"
    shutil.copytree(package, folder)
    return folder


def test_what_was_brought_becomes_a_run_and_is_put_into_the_archive(brought_to: Connection):
    folder = arrived(brought_to)
    run = take_in(brought_to.pk, folder)
    assert run is not None
    assert (run.phase, run.outcome) == ("waiting", "")
    work_off()
    run.refresh_from_db()
    assert (run.outcome, run.started_by) == ("success", "SFTP")
    assert User.objects.filter(connection_id=brought_to.pk).count() == 66
    archived = drops.home(brought_to.pk) / "archive" / f"run-{run.pk}"
    assert sorted(file.name for file in archived.iterdir()) == sorted(
        file.name for file in RIVERBEND.iterdir()
    )
    assert not folder.exists()


def test_what_is_no_package_is_a_refused_run_and_is_put_away_too(brought_to: Connection, tmp_path: Path):
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "roster.zip").write_bytes(b"PK\x03\x04 this is no zip")
    run = take_in(brought_to.pk, arrived(brought_to, tmp_path / "no"))
    assert run is not None
    work_off()
    run.refresh_from_db()
    assert run.outcome == "refused"
    assert "zip" in run.message
    assert (drops.home(brought_to.pk) / "archive" / f"run-{run.pk}" / "roster.zip").exists()


def test_what_came_to_a_connection_that_is_off_stays_where_it_is(brought_to: Connection):
    folder = arrived(brought_to)
    Connection.objects.filter(pk=brought_to.pk).update(enabled=False)
    assert take_in(brought_to.pk, folder) is None
    assert folder.exists()
    assert drops.find_drop("riverbend") is None
    assert list(drops.every_drop()) == []


def test_a_login_leads_to_its_connection_and_no_second_may_have_it(brought_to: Connection):
    other = a_drop("lakeside")
    found = drops.find_drop("lakeside")
    assert found is not None
    assert (found[0], found[1].login) == (other.pk, "lakeside")
    assert drops.find_drop("lake") is None
    assert [number for number, _ in drops.every_drop()] == [brought_to.pk, other.pk]
    drops.refuse_taken_login("lakeside", other.pk)
    with pytest.raises(drops.LoginTaken):
        drops.refuse_taken_login("lakeside", brought_to.pk)


def test_what_a_dead_server_made_a_run_of_and_did_not_put_away_becomes_no_second_one(brought_to: Connection):
    folder = arrived(brought_to)
    run = enqueue_delivery(brought_to, folder, "SFTP", arrived=folder.name)
    again = take_in(brought_to.pk, folder)
    assert again is not None
    assert again.pk == run.pk
    assert Run.objects.count() == 1
    assert not folder.exists()


def test_an_upload_that_broke_off_is_a_failed_run(brought_to: Connection):
    drops.broke_off(brought_to.pk, "It broke off.")
    run = Run.objects.get(connection=brought_to)
    assert (run.phase, run.outcome, run.message) == ("receiving", "failed", "It broke off.")


def test_nothing_is_left_of_what_was_brought_to_a_removed_connection(brought_to: Connection):
    other = a_drop("lakeside")
    folders = [arrived(connection) for connection in (brought_to, other)]
    remove_connection(brought_to)
    drops.forget_the_removed()
    assert [folder.exists() for folder in folders] == [False, True]
