"""`rollbook export` and `rollbook delivery`, on one district."""

import json

import pytest

from rollbook.store.models import District, Grant
from tests.command import rollbook
from tests.delivered import a_grant
from tests.flows.packages import rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(riverbend: District) -> Grant:
    grant = a_grant(riverbend)
    Grant.objects.filter(pk=grant.pk).update(enabled=True)
    return grant


def test_what_an_app_sees_is_written_as_a_package_that_is_valid(grant, tmp_path):
    said = json.loads(
        rollbook("export", str(grant.pk), str(tmp_path / "out.zip"), "--version", "1.1", "--json").stdout
    )
    assert said["rows"]["users.csv"] == len(rows_of(tmp_path / "out.zip")["users"])
    rollbook("validate", str(tmp_path / "out.zip"))
    assert "users.csv: " in rollbook("export", str(grant.pk), str(tmp_path / "folder")).stdout
    rollbook("validate", str(tmp_path / "folder"))
    (tmp_path / "template").write_text("names.csv from users\nName = familyName\n")
    rollbook("export", str(grant.pk), str(tmp_path / "own.zip"), "--template", str(tmp_path / "template"))
    assert set(rows_of(tmp_path / "own.zip")) == {"names"}
    Grant.objects.update(enabled=False)
    assert "disabled" in rollbook("export", str(grant.pk), str(tmp_path / "no.zip"), expect=1).stderr


def test_an_apps_packages_are_set_up_made_and_listed(grant):
    number, tenant = str(grant.pk), str(grant.district_id)
    assert "timeout_seconds" in rollbook("delivery", "options").stdout
    assert "set up its SFTP export first" in rollbook("delivery", "push", number, expect=1).stderr
    set_up = (
        "delivery",
        "set",
        number,
        "--way",
        "pickup",
        "--set",
        "login=reading-app",
        "--secret",
        "password=-",
        "--enabled",
    )
    assert "by pickup. It is on." in rollbook(*set_up, stdin="correct horse battery\n").stdout
    kept = json.loads(rollbook("delivery", "settings", number, "--json").stdout)
    assert kept["login"] == "reading-app"
    assert "password" not in kept
    assert "its password" in rollbook("delivery", "test", number).stdout
    made = json.loads(rollbook("delivery", "push", number, "--json").stdout)
    assert made["outcome"] == "success"
    [listed] = json.loads(rollbook("delivery", "list", tenant, "--json").stdout)
    assert listed == made
    shown = rollbook("delivery", "show", str(made["delivery"])).stdout
    assert made["file"] in shown
    assert "ended already" in rollbook("delivery", "cancel", str(made["delivery"]), expect=1).stderr
    rollbook("delivery", "remove", number)
    assert len(json.loads(rollbook("delivery", "list", tenant, "--json").stdout)) == 1, (
        "what it got stays known"
    )


def test_an_apps_own_files_are_looked_at_before_they_are_kept(grant, tmp_path):
    number = str(grant.pk)
    assert "users: sourcedId" in rollbook("delivery", "columns", number).stdout
    assert "roles" not in json.loads(
        rollbook("delivery", "columns", number, "--version", "1.1", "--json").stdout
    )
    template = tmp_path / "template"
    template.write_text("pupils.csv from roles\nkeep role is student\nName = userSourcedId.familyName")
    shown = rollbook(
        "delivery", "sample", number, "--template", str(template), "--rows", "2"
    ).stdout.splitlines()
    assert (shown[:2], len(shown)) == (["pupils.csv:", "Name"], 4)
    [told] = json.loads(rollbook("delivery", "sample", number, "--template", str(template), "--json").stdout)
    assert (told["file"], len(told["rows"])) == ("pupils.csv", 5)
    template.write_text("pupils.csv from users\nName = nothing")
    refused = rollbook("delivery", "sample", number, "--template", str(template), expect=1).stderr
    assert "Line 2 of the template" in refused
    assert "set up its SFTP export first" in rollbook("delivery", "sample", number, expect=1).stderr


def test_a_server_that_cannot_be_written_to_is_said_and_fails_the_command(grant):
    key = f"ssh-ed25519 SHA256:{'A' * 43}"
    settings = [f"--set={name}" for name in ("host=127.0.0.1", "port=1", "login=a", f"host_key={key}")]
    rollbook(
        "delivery", "set", str(grant.pk), "--way", "push", *settings, "--secret", "password=-", stdin="b\n"
    )
    assert "nothing listens there" in rollbook("delivery", "test", str(grant.pk), expect=1).stderr
