"""The pages of a sync's runs: the preview and its approval, progress, what came of it record by record, and the history."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.console.organization import live
from rollbook.flows import administrators, directory, members
from rollbook.flows.jobs.beats import WORKER, a_name, beating
from rollbook.flows.sync import holds, runs, turns
from rollbook.flows.sync.walk import walk
from rollbook.store.models import AuditEntry, Member, Organization, SyncConnection, SyncDecision, SyncRun
from tests.engine.sync.schools import changed, school, without
from tests.flows.sync.organizations import Synced, an_organization, connected, deliver
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)

OLGA = {"given_name": "Olga", "family_name": "Hand", "email": "olga@school.example"}


@pytest.fixture
def organization(request: pytest.FixtureRequest, db: None) -> Organization:
    """As it is after a first sync, where the test has `begun` with one."""
    if "begun" in request.fixturenames:
        return request.getfixturevalue("begun").connection.organization
    return customer()


@pytest.fixture
def connection(request: pytest.FixtureRequest, organization: Organization, tmp_path: Path) -> SyncConnection:
    if "begun" in request.fixturenames:
        return request.getfixturevalue("begun").connection
    return school_of(organization, tmp_path)


@pytest.fixture
def office(organization: Organization, signed_in) -> Client:
    return signed_in(
        administrators.employ(organization.product, organization, "ines@northwind.example").account
    )


def work_off() -> None:
    while given := turns.give_turns():
        for run in given:
            walk(run.pk)


def synced(connection: SyncConnection, **task: Any) -> SyncRun:
    connection.refresh_from_db()
    run = runs.enqueue(connection, "somebody", **task)
    work_off()
    run.refresh_from_db()
    return run


def first(connection: SyncConnection) -> SyncRun:
    """The first sync, shown and approved."""
    holds.approve(synced(connection), "somebody")
    work_off()
    return SyncRun.objects.latest("pk")


def customer() -> Organization:
    return an_organization(time_zone="America/Chicago", seats_bought=40)


def school_of(organization: Organization, folder: Path) -> SyncConnection:
    deliver(folder, school())
    return connected(organization, folder)


def a_first_sync(folder: Path) -> Synced:
    connection = school_of(customer(), folder)
    run = first(connection)
    connection.refresh_from_db()
    return Synced(connection, folder, run)


begun = kept(a_first_sync)


def at(route: str, about: SyncRun | SyncConnection, **more: Any) -> str:
    where: dict[str, Any] = {"organization_id": about.organization_id}
    where["connection_id"] = about.connection_id if isinstance(about, SyncRun) else about.pk
    return reverse(route, kwargs=where | ({"run_id": about.pk} if isinstance(about, SyncRun) else {}) | more)


def words(answer) -> str:
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def test_a_preview_is_looked_at_and_begun_exactly_as_it_was_shown(office: Client, connection):
    directory.add_site(connection.organization, "North School")
    shown = synced(connection)
    assert office.get(at("sync-run", shown)).url == at("sync-preview", shown)
    page = words(office.get(at("sync-preview", shown)))
    assert "Nothing has changed yet, and nobody was told" in page
    assert "Mapped items" in page
    assert "North School → North School" in page
    assert "South School is created" in page
    assert page.count("Begin sync") == 1
    assert Member.objects.count() == 0
    assert "has changed" in words(office.post(at("sync-begin", shown), {"fingerprint": "other"}, follow=True))
    begun = office.post(at("sync-begin", shown), {"fingerprint": shown.fingerprint})
    assert begun.url == at("sync-run", shown)
    assert "You may leave this page" in words(office.get(begun.url))
    work_off()
    result = words(office.get(begun.url))
    assert "operations done." in result
    assert Member.objects.count() == 5
    assert "Show what would be taken back" in result
    assert office.get(at("sync-preview", shown)).url == at("sync-run", shown)


NARROWED: list[tuple[dict[str, str], str, str]] = [
    ({"search": "pia"}, "Pia Cole", "Paul Dean"),
    ({"search": "PAUL@nowhere"}, "No record like this", "Pia Cole"),
    ({"kind": "groups"}, "Mathematics 6", "Petra"),
    ({"kind": "memberships", "search": "e-p1-c1"}, "Pia Cole · Mathematics 5", "Petra"),
    ({"action": "archive"}, "No record like this", "Pia Cole"),
    ({"outcome": "planned", "kind": "members"}, "Theo Bell", "No record"),
    ({"outcome": "done"}, "No record like this", "Pia Cole"),
    ({"reason": "never-a-member"}, "Guardian", "Pia Cole"),
]


def test_the_records_of_a_plan_are_narrowed_and_searched(office: Client, connection, tmp_path):
    tables = school()
    tables["users"].append({**tables["users"][2], "sourcedId": "g1", "username": "g1", "email": ""})
    tables["roles"].append(
        {**tables["roles"][2], "sourcedId": "r-g1", "userSourcedId": "g1", "role": "guardian"}
    )
    deliver(tmp_path, tables)
    records = at("sync-run-records", synced(connection))
    for asked, found, not_found in NARROWED:
        page = words(office.get(records, asked))
        assert (found in page, not_found in page) == (True, False), asked


def test_a_long_plan_is_paged_and_downloaded(office: Client, connection, begun: Synced, monkeypatch):
    monkeypatch.setattr("rollbook.console.organization.records.PAGE", 6)
    run, seen, query = begun.run, "", ""
    for _ in range(5):
        page = words(office.get(at("sync-run-records", run) + query))
        seen += page
        if "Next" not in page:
            break
        query = "?" + page.split('href="?')[-1].split('"')[0].replace("&amp;", "&")
    assert [seen.count(f"<div>{name}<div") for name in ("Pia Cole", "Theo Bell", "North School")] == [1, 1, 1]
    for person in ("p1", "t2"):  # a person by themselves, and each of their enrollments
        assert seen.count(f"/explain/members?record={person}") == 2
    answer = office.get(at("sync-run-records-csv", run), {"kind": "members"})
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].startswith("number,kind,what,outcome,sourcedId")
    assert len(lines) == 6
    assert all(",members,created,done," in line for line in lines[1:])


def test_what_is_out_of_date_says_why_and_is_shown_anew(office: Client, connection):
    directory.add_site(connection.organization, "North School")
    shown = synced(connection)
    answer = office.post(at("sync-preview-unmap", shown), {"school": "north"})
    assert SyncDecision.objects.get().action == "create"
    work_off()
    anew = SyncRun.objects.latest("pk")
    assert (answer.url, anew.outcome) == (at("sync-run", anew), "previewed")
    page = words(office.get(at("sync-preview", shown)))
    assert "Run a new preview" in page
    assert "Begin sync" not in page
    office.post(at("sync-begin", shown), {"fingerprint": shown.fingerprint})
    assert SyncRun.objects.get(pk=shown.pk).outcome == "previewed"
    assert office.post(at("sync-preview-anew", shown)).status_code == 302
    assert SyncRun.objects.latest("pk").task == {"kind": "full", "preview": True}


@pytest.mark.parametrize("ticked", [[], ["unowned"]])
def test_who_would_be_archived_by_a_first_sync_is_named_and_goes_only_if_ticked(
    office: Client, organization, tmp_path, ticked
):
    deliver(tmp_path, school())
    connection = connected(
        organization, tmp_path, "teachers-and-schools", limits={"unowned": {"to_zero": False}}
    )
    members.add_member(organization, OLGA, ["teacher"], state="active")
    shown = synced(connection)
    page = words(office.get(at("sync-preview", shown)))
    assert "Archive 1 record too" in page
    assert "Olga Hand" in page
    assert "1 seat becomes free" in page
    assert 'value="unowned">' in page  # and not checked
    assert "Olga Hand" in words(office.get(at("sync-run-records", shown), {"outcome": "left-out"}))
    office.post(at("sync-begin", shown), {"fingerprint": shown.fingerprint, "tick": ticked})
    work_off()
    assert Member.objects.get(given_name="Olga").state == ("archived" if ticked else "active")


# --- Progress -----------------------------------------------------------------------------------------------------------------------


def read(answer) -> list[str]:
    return [part.decode() if isinstance(part, bytes) else part for part in answer.streaming_content]


def test_the_page_of_a_run_is_told_how_far_it_is_and_when_it_is_over(
    office: Client, connection, begun: Synced, settings
):
    run = runs.enqueue(connection, "somebody")
    settings.STREAMS = 0
    assert "no worker is running" in words(office.get(at("sync-run-now", run)))
    with beating(a_name(WORKER)):
        turns.give_turns()
        SyncRun.objects.filter(pk=run.pk).update(phase="applying", done=1_500, known=2_000)
        [retry, event] = read(office.get(at("sync-run-events", run)))
    assert retry == "retry: 2000\n\n"
    assert event.startswith("event: now\ndata: ")
    assert "Changing the directory" in event
    assert "1,500 of 2,000 in this step" in event
    assert "Less than a minute left" in event
    walk(run.pk)
    assert read(office.get(at("sync-run-events", run)))[1] == "event: over\ndata: \n\n"
    assert office.get(at("sync-run-now", run)).headers["HX-Refresh"] == "true"


def test_a_stream_tells_what_is_new_ends_by_itself_and_gives_its_place_back(settings, monkeypatch):
    monkeypatch.setattr(live, "LOOK", 0.01)
    settings.STREAMS = 2
    found = iter([("now", "a\nb"), ("now", "a\nb"), ("now", "c"), ("over", "")])
    told = list(live.stream(lambda: next(found), lasts=60))
    assert told[1:] == [
        "event: now\ndata: a\ndata: b\n\n",
        ":\n\n",
        "event: now\ndata: c\n\n",
        "event: over\ndata: \n\n",
    ]
    assert len(list(live.stream(lambda: ("now", ""), lasts=0))) == 2
    held = [live.stream(lambda: ("now", "")) for _ in range(3)]
    assert [next(one).strip() for one in held] == ["retry: 500", "retry: 500", "retry: 2000"]
    for one in held:
        one.close()
    assert next(live.stream(lambda: ("now", ""))) == "retry: 500\n\n"


def test_a_run_that_stands_still_says_so_and_is_resumed_or_cancelled(office: Client, connection):
    run = runs.enqueue(connection, "somebody", preview=True)
    turns.give_turns()
    with beating(a_name(WORKER)):
        assert "nothing to resume" in words(office.post(at("sync-run-resume", run), follow=True))
        long_ago = timezone.now() - timedelta(minutes=6)
        SyncRun.objects.filter(pk=run.pk).update(phase="fetching", turn_at=long_ago, started_at=long_ago)
        page = words(office.get(at("sync-run", run)))
        assert "data-still" in page
        assert 'id="still">' in page
        assert "Ask for help" in page
        before = SyncRun.objects.get(pk=run.pk)
        office.post(at("sync-run-resume", run))
        run.refresh_from_db()
        assert (run.fence, run.turn_at > before.turn_at) == (before.fence + 1, True)
        assert 'id="still" hidden>' in words(office.get(at("sync-run", run)))
        assert "ends between two batches" in words(office.post(at("sync-run-cancel", run), follow=True))
        walk(run.pk)
    assert SyncRun.objects.get(pk=run.pk).outcome == "cancelled"
    assert set(AuditEntry.objects.values_list("act", flat=True)) >= {"sync.resume", "sync.cancel"}


# --- Afterwards ---------------------------------------------------------------------------------------------------------------------


def test_what_the_directory_did_not_take_comes_first_and_is_tried_again(
    office: Client, connection, begun: Synced
):
    deliver(begun.folder, changed(school(), "users", "p1", givenName="Philippa"))
    shown = synced(connection, preview=True)
    Member.objects.filter(source_id="p1").update(version=9)
    holds.approve(shown, "somebody")
    work_off()
    page = words(office.get(at("sync-run", shown)))
    assert "1 record was not taken" in page
    assert "Changed since the plan" in page
    assert "Pia" in words(office.get(at("sync-run-records", shown), {"outcome": "failed"}))
    again = office.post(at("sync-run-retry", shown), {"number": "1"})
    run = SyncRun.objects.latest("pk")
    assert (again.url, run.task["focus"]) == (at("sync-run", run), {"people": ["p1"]})
    work_off()
    assert Member.objects.get(source_id="p1").given_name == "Philippa"
    assert "nothing to try once more" in words(office.post(at("sync-run-retry", run), follow=True))
    office.post(at("sync-run-retry", shown), {"whole": "1"})
    assert SyncRun.objects.latest("pk").task["kind"] == "full"


def test_what_is_held_is_said_and_listed(office: Client, connection, begun: Synced):
    deliver(begun.folder, without(school(), "t2", "p3"))
    run = synced(connection)
    assert (run.outcome, run.counts["operations"]["members"]) == ("held", {"archive": 2})
    assert "wait for you, because" in words(office.get(at("sync-run", run)))
    page = words(office.get(at("sync-run-records", run), {"outcome": "held"}))
    assert "Petra Eck" in page
    assert "Theo Bell" in page


def test_a_run_is_undone_after_it_was_shown_what_that_takes(office: Client, connection, begun: Synced):
    run = begun.run
    office.post(at("sync-run-undo", run))
    work_off()
    undo = SyncRun.objects.latest("pk")
    page = words(office.get(at("sync-preview", undo)))
    assert "Take it back" in page
    assert f"what sync {run.pk} did" in page
    assert "Mapped items" not in page
    office.post(at("sync-begin", undo), {"fingerprint": undo.fingerprint})
    work_off()
    assert set(Member.objects.values_list("state", flat=True)) == {"archived"}
    connection.refresh_from_db()
    assert connection.state == "paused"


def test_a_record_is_explained_from_where_it_was_read_to_what_was_done(
    office: Client, connection, begun: Synced
):
    page = words(office.get(at("sync-explain", connection, kind="members"), {"record": "p1"}))
    assert "Pia Cole" in page
    assert "users.csv" in page
    assert "What earlier syncs did with it" in page
    member = Member.objects.get(source_id="p1")
    same = words(office.get(at("sync-explain", connection, kind="members"), {"target": member.id}))
    assert "<code>p1</code>" in same
    by_hand = members.add_member(connection.organization, OLGA)
    route = at("sync-explain", connection, kind="members")
    assert office.get(route, {"target": by_hand.id}).status_code == 404
    assert office.get(route, {"record": "nobody"}).status_code == 200
    assert office.get(at("sync-explain", connection, kind="memberships")).status_code == 404


def test_the_history_is_paged_and_every_run_leads_to_its_page(office: Client, connection, monkeypatch):
    monkeypatch.setattr("rollbook.console.organization.history.PAGE", 2)
    assert "Nothing was synced yet" in words(office.get(at("sync-runs", connection)))
    run = first(connection)
    synced(connection)
    waits = runs.enqueue(connection, "somebody")
    page = words(office.get(at("sync-runs", connection)))
    assert at("sync-run", waits) in page
    assert at("sync-run", run) not in page
    older = words(office.get(at("sync-runs", connection), {"before": waits.pk - 1}))
    assert "created" in older
    assert at("sync-run", run) in older


def test_a_site_administrator_sees_sums_and_nobody_of_other_sites(connection, organization, signed_in):
    site = directory.add_site(organization, "Elsewhere")
    made = administrators.employ(
        organization.product, organization, "site@northwind.example", administrators.SITE, sites=[site.id]
    )
    client = signed_in(made.account)
    shown = synced(connection)
    page = words(client.get(at("sync-run", shown)))
    assert "Only shown" in page
    assert "Pia" not in page
    for route in ("sync-preview", "sync-run-records", "sync-run-records-csv"):
        assert client.get(at(route, shown)).status_code == 404
    assert client.post(at("sync-begin", shown)).status_code == 404
    assert client.post(at("sync-run-cancel", shown)).status_code == 403
    assert client.get(at("sync-explain", connection, kind="members"), {"record": "p1"}).status_code == 404


def test_without_the_plan_that_includes_it_nothing_is_begun(office: Client, organization, connection):
    shown = synced(connection)
    Organization.objects.filter(pk=organization.pk).update(entitlements=[])
    page = words(office.get(at("sync-preview", shown)))
    assert "does not include rostering" in page
    assert "Begin sync" not in page
    refused = office.post(at("sync-begin", shown), {"fingerprint": shown.fingerprint})
    assert refused.status_code == 403
    assert SyncRun.objects.get(pk=shown.pk).outcome == "previewed"


def test_what_is_wrong_in_what_the_source_gave_is_told_with_what_to_do(
    office: Client, connection, begun: Synced, organization
):
    tables = changed(school(), "users", "p2", enabledUser="perhaps")
    deliver(begun.folder, {**tables, "orgs": [*tables["orgs"], {**tables["orgs"][1], "sourcedId": "north"}]})
    page = words(office.get(at("sync-run", synced(connection))))
    assert "What is wrong in what the source gave" in page
    assert "never taken for one that is gone" in page
    assert "Paul" not in page
    assert Member.objects.get(source_id="p2").state == "inactive"
