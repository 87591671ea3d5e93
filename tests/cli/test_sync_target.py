"""A sync that goes to a SCIM server and not to the directory here: a first sync, a leaver, and a return, by commands alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollbook.connectors.scim import SCIM
from rollbook.connectors.scim.target import ScimTarget
from rollbook.engine.sync.operations import ARCHIVED, GROUPS, MEMBERS, MEMBERSHIPS
from rollbook.store.models import Member, Organization, SyncConnection
from tests.command import rollbook
from tests.connectors.scim_server import TOKEN, running
from tests.engine.sync.schools import school, without
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


def told(*arguments: str) -> Any:
    return json.loads(rollbook("sync", *arguments, "--json").stdout)


@pytest.fixture
def organization() -> Organization:
    return an_organization()


@pytest.fixture
def connection(organization: Organization, tmp_path: Path) -> SyncConnection:
    deliver(tmp_path / "roster", school())
    at_once = {"reads": 1, "students": 0, "staff": 0, "classes": 0}
    return connected(
        organization,
        tmp_path / "roster",
        grace=at_once,
        limits={"members": {"percent": 0, "site_percent": 0}},
    )


def test_people_go_to_a_scim_server_and_leave_it_and_come_back(connection: SyncConnection, tmp_path: Path):
    number, roster = str(connection.pk), tmp_path / "roster"
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    with running() as address:
        there = ScimTarget(*SCIM.checked({"url": address}, {"token": TOKEN}))
        aimed = told("target", number, "scim", "--set", f"url={address}", "--secret", f"token={secret}")
        assert aimed["target"] == "scim"
        assert TOKEN not in SyncConnection.objects.get(pk=number).target_settings.values()
        assert told("target", number)[0] == "The server answers: 0 users, 0 groups."
        done = told("approve", str(told("preview", number)["run"]))
        assert (done["outcome"], done["statistics"]["members"]) == ("success", {"create": 5})
        assert {one.key for one in there.scan(MEMBERS)} == {one["sourcedId"] for one in school()["users"]}
        assert (len(list(there.scan(GROUPS))), len(list(there.scan(MEMBERSHIPS)))) == (2, 5)
        assert not Member.objects.filter(organization=connection.organization_id).exists()
        assert told("run", number)["outcome"] == "empty"
        deliver(roster, without(school(), "p1"))
        assert told("run", number)["outcome"] == "success"
        assert {one.key for one in there.scan(MEMBERS) if one.state == ARCHIVED} == {"p1"}
        deliver(roster, school())
        assert told("run", number)["outcome"] == "success"
        assert not [one for one in there.scan(MEMBERS) if one.state == ARCHIVED]
    refused = rollbook("sync", "target", number, "directory", expect=1)
    assert "connect the source anew" in refused.output


def test_where_a_sync_goes_is_checked_before_it_is_kept(connection: SyncConnection):
    number = str(connection.pk)
    for words, expected in (
        (("elsewhere",), "no target of this kind"),
        (("scim", "--set", "url=https://app.example/scim"), "A token is needed"),
        (("scim", "--set", "colour=blue"), "no such setting"),
    ):
        assert expected in rollbook("sync", "target", number, *words, expect=1).output
    assert told("target", number) == ["It goes to the organization's own directory."]
