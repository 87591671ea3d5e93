"""An organization's own programs work its syncs, with a key that opens one organization."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.utils import timezone

from rollbook.api import member_calls, sync_calls
from rollbook.api.intake_routes import ROOT, ROUTES, SCHEMAS
from rollbook.flows import directory, members
from rollbook.flows.sync import connections, spans, turns
from rollbook.flows.sync.walk import walk
from rollbook.store.models import Member, Organization, SyncConnection, SyncDecision, SyncRun
from tests.engine.sync.schools import changed, school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "roster"
    deliver(place, school())
    return place


@pytest.fixture
def organization() -> Organization:
    return an_organization()


@pytest.fixture
def connection(organization: Organization, folder: Path) -> SyncConnection:
    return connected(organization, folder)


@pytest.fixture
def secret(organization: Organization) -> str:
    return directory.make_key(organization, "Nightly", "a test")[1]


def ask(
    method: str, path: str, secret: str = "", body: Any = None, *, expect: int = 200, schema: str = ""
) -> Any:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    content = b"" if body is None else json.dumps(body).encode()
    answer = Client().generic(method, f"{ROOT}/sync{path}", content, "application/json", headers=headers)
    assert answer.status_code == expect, answer.content
    if expect == 204:
        return None
    told = answer.json()
    if schema:
        known = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": SCHEMAS}}
        jsonschema.validate(told, known)
    return told


def work_off() -> None:
    """As a worker does."""
    while given := turns.give_turns():
        for run in given:
            walk(run.pk)


def test_a_first_sync_is_begun_looked_at_approved_reported_and_undone_by_a_program(
    connection: SyncConnection, secret: str, folder: Path
) -> None:
    here = f"/connections/{connection.pk}"
    run = ask("POST", f"{here}/runs", secret, {}, expect=202, schema="SyncRun")
    assert (run["state"], run["percent"]) == ("waiting", 0)
    there = f"/runs/{run['id']}"
    work_off()
    shown = ask("GET", there, secret, schema="SyncRun")
    assert (shown["state"], shown["outcome"], shown["percent"]) == ("ended", "previewed", 100)
    assert shown["report"]["planned"]["members"] == {"create": 5}
    schools = ask("GET", f"{here}/schools", secret, schema="SyncSchools")["schools"]
    assert {one["name"] for one in schools}
    ask("POST", f"{there}/approve", secret, {}, expect=202, schema="SyncRun")
    work_off()
    assert ask("GET", there, secret)["outcome"] == "success"
    records = ask("GET", f"{there}/records?kind=members&outcome=done", secret, schema="SyncRecords")[
        "records"
    ]
    assert len(records) == 5
    assert ask("GET", f"{there}/records?page=2", secret)["records"] == []
    lines = Client().get(f"{ROOT}/sync{there}/report.csv", headers={"Authorization": f"Bearer {secret}"})
    assert b"".join(lines).decode().count(",members,") == 5  # type: ignore[arg-type]  # a streamed answer
    stand = Client().get(f"{ROOT}/sync{here}/states.csv", headers={"Authorization": f"Bearer {secret}"})
    assert b"".join(stand).decode().count(",inactive,") == 5  # type: ignore[arg-type]  # a streamed answer
    told = ask("GET", f"{here}/explain?sourcedId=p1", secret, schema="SyncExplained")
    assert told["history"][0]["what"] == "created"
    deliver(folder, changed(school(), "users", "p1", givenName="Philippa"))
    one = {"focus": {"people": ["p1"]}}
    begun = ask("POST", f"{here}/runs", secret, one, expect=202, schema="SyncRun")
    work_off()
    assert Member.objects.get(source_id="p1").given_name == "Philippa"
    undo = ask("POST", f"/runs/{begun['id']}/undo", secret, expect=202, schema="SyncRun")
    work_off()
    ask("POST", f"/runs/{undo['id']}/approve", secret, {"why": "wrong"}, expect=202)
    work_off()
    assert Member.objects.get(source_id="p1").given_name != "Philippa"
    assert ask("GET", here, secret, schema="SyncConnection")["state"] == "paused"
    assert len(ask("GET", f"{here}/runs", secret, schema="SyncRuns")["runs"]) == 3
    assert SyncRun.objects.get(pk=run["id"]).started_by.startswith("Nightly (key ")


def test_a_program_connects_a_source_and_nothing_runs_before_it_is_activated(secret: str) -> None:
    made = ask(
        "POST", "/connections", secret,
        {
            "name": "Roster", "kind": "oneroster_rest", "preset": "teachers-groups",
            "source": {"url": "https://roster.example", "sign_in": "bearer"}, "secrets": {"token": "a secret"},
            "settings": {"timing": {"every": "cron", "cron": "30 2 * * mon-fri"}},
        },
        expect=201, schema="SyncConnection",
    )  # fmt: skip
    here = f"/connections/{made['id']}"
    assert (made["state"], made["next"]) == ("requested", "")
    assert "a secret" not in json.dumps(ask("GET", "/connections", secret, schema="SyncConnections"))
    ask("POST", f"{here}/runs", secret, {}, expect=409)
    moved = {"source": {"url": "https://elsewhere.example"}}
    assert "secrets" in ask("PATCH", here, secret, moved, expect=422)["detail"]
    ask("PATCH", here, secret, moved | {"secrets": {"token": "another"}}, schema="SyncConnection")
    ask("PATCH", here, secret, {"settings": {"timing": {"cron": "never"}}}, expect=422)
    connections.activate(connections.find_connection(made["id"]))
    assert ask("GET", here, secret)["next"]
    assert ask("POST", f"{here}/pause", secret, {"why": "holidays"})["stateWhy"] == "holidays"
    folder = {"name": "Files", "kind": "folder", "source": {"path": "/etc"}}
    assert "folder of this server" in ask("POST", "/connections", secret, folder, expect=422)["detail"]


def test_days_decisions_and_cases_of_a_sync(connection: SyncConnection, secret: str) -> None:
    here = f"/connections/{connection.pk}"
    day = timezone.now().date()
    span = {"kind": "blackout", "from": str(day - timedelta(2)), "until": str(day + timedelta(2))}
    made = ask("POST", f"{here}/days", secret, span, expect=201, schema="SyncDay")
    assert ask("GET", f"{here}/days", secret, schema="SyncDays")["days"] == [made]
    assert "changes nothing" in ask("POST", f"{here}/runs", secret, {}, expect=409)["detail"]
    shown = ask("POST", f"{here}/runs", secret, {"preview": True}, expect=202)
    assert ask("POST", f"/runs/{shown['id']}/cancel", secret, schema="SyncRun")["outcome"] == "cancelled"
    ask("DELETE", f"{here}/days/{made['id']}", secret, expect=204)
    ask("DELETE", f"{here}/days/{made['id']}", secret, expect=404)
    decision = {"kind": "members", "sourcedId": "p1", "action": "ignore", "why": "moved"}
    ask("POST", f"{here}/decisions", secret, decision, expect=204)
    ask("POST", f"{here}/decisions", secret, decision | {"action": "forget"}, expect=204)
    ask("POST", f"{here}/decisions", secret, decision | {"action": "guess"}, expect=422)
    assert ask("GET", f"{here}/cases", secret, schema="SyncCases") == {"cases": []}


def test_a_program_imports_people_by_hand_and_is_told_what_became_of_each(
    organization: Organization, folder: Path, secret: str
) -> None:
    connection = connected(organization, folder, "teachers-groups", people={"create": False})
    here = f"/connections/{connection.pk}"
    ask("GET", f"{here}/candidates", secret, expect=409)
    ask("POST", f"{here}/look", secret, expect=202, schema="SyncRun")
    assert (
        "under way"
        in ask("POST", f"{here}/import", secret, {"people": [{"sourcedId": "t1"}]}, expect=409)["detail"]
    )
    work_off()
    found = ask("GET", f"{here}/candidates", secret, schema="SyncCandidates")["candidates"]
    chosen = found[0]["sourcedId"]
    wishes = {"people": [{"sourcedId": chosen, "roles": ["aide"]}, {"sourcedId": "nobody"}]}
    told = ask("POST", f"{here}/import", secret, wishes, schema="SyncImported")
    assert [one["outcome"] for one in told["people"]] == ["imported", "not-there"]
    assert len(told["groupSyncs"]) == 1
    day = str(timezone.now().date())
    spans.add_span(
        connection, "blackout", date.fromisoformat(day), date.fromisoformat(day) + timedelta(2), "a test"
    )
    ask("POST", f"{here}/import", secret, {"people": [{"sourcedId": "t2"}]}, expect=409)
    assert not SyncDecision.objects.filter(source_id="t2").exists()
    assert chosen not in {one["sourcedId"] for one in ask("GET", f"{here}/candidates", secret)["candidates"]}


def test_another_organizations_syncs_are_not_there_and_a_stranger_learns_nothing(
    connection: SyncConnection, secret: str
) -> None:
    other = directory.make_key(an_organization(), "Theirs", "a test")[1]
    run = ask("POST", f"/connections/{connection.pk}/runs", secret, {}, expect=202)["id"]
    numbers = {"connection": connection.pk, "run": run, "days": 1, "member": 1}
    for route in ROUTES:
        if route.name not in sync_calls.HANDLES:
            continue
        for method in route.methods:
            path = route.path.format(**numbers).removeprefix("/sync")
            ask(method, path, expect=401)
            ask(method, path, "rollbook_org_wrong", expect=401)
            if "{" in route.path and not route.body and not route.query:
                ask(method, path, other, expect=404)
    assert ask("GET", "/connections", other) == {"connections": []}
    ask("POST", f"/connections/{connection.pk}/runs", other, {}, expect=404)
    ask("POST", f"/runs/{run}/approve", other, {}, expect=404)


@pytest.mark.parametrize(
    "body",
    [
        {"preview": "yes"}, {"focus": {}}, {"focus": {"people": "p1"}}, {"focus": {"pupils": ["p1"]}}, {"unknown": 1},
        {"focus": {"people": ["p1"]}, "delta": True}, [],
    ],
)  # fmt: skip
def test_a_run_that_nobody_understands_is_not_begun(
    connection: SyncConnection, secret: str, body: Any
) -> None:
    ask("POST", f"/connections/{connection.pk}/runs", secret, body, expect=400)
    assert not SyncRun.objects.exists()


def test_members_are_listed_page_by_page_and_archived_brought_back_and_activated(
    organization: Organization, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [("Ada", "Ames"), ("Bo", "Bell"), ("Cy", "Cole")]
    ids = [
        members.add_member(organization, {"given_name": given, "family_name": family}, (), ()).id
        for given, family in names
    ]
    monkeypatch.setattr(member_calls, "PAGE", 2)
    first = ask("GET", "/members", secret, schema="SyncMembers")
    assert [one["familyName"] for one in first["members"]] == ["Ames", "Bell"]
    rest = ask("GET", f"/members?after={first['after']}", secret, schema="SyncMembers")
    assert ([one["id"] for one in rest["members"]], rest["after"]) == (ids[2:], None)
    ask("GET", "/members?after=x", secret, expect=400)
    here = f"/members/{ids[1]}"
    assert ask("GET", here, secret, schema="SyncMember")["state"] == "inactive"
    assert ask("POST", f"{here}/activate", secret, {}, schema="SyncMember")["state"] == "active"
    assert ask("POST", f"{here}/archive", secret, {"why": "left"}, schema="SyncMember")["state"] == "archived"
    ask("POST", f"{here}/activate", secret, {}, expect=409)
    assert [one["id"] for one in ask("GET", "/members?state=archived", secret)["members"]] == [ids[1]]
    assert ask("POST", f"{here}/restore", secret, {}, schema="SyncMember")["state"] != "archived"
    ask("GET", "/members/999999", secret, expect=404)
