"""What an organization decides of its rostering: who is imported and resynced, what is held and in doubt; and the product's support."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.flows import administrators, directory, members, merging
from rollbook.flows.sync import connections, deciding, helping, holds, importing, runs, spans, turns
from rollbook.flows.sync.walk import walk
from rollbook.store.models import AuditEntry, Case, Member, Organization, SyncConnection, SyncHold, SyncRun
from tests.engine.sync.schools import changed, school, without
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organization() -> Organization:
    return an_organization(seats_bought=40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "roster"
    deliver(place, school())
    return place


@pytest.fixture
def office(organization: Organization, signed_in) -> Client:
    return signed_in(
        administrators.employ(organization.product, organization, "ines@northwind.example").account
    )


@pytest.fixture
def desk(organization: Organization, signed_in) -> Client:
    """The product's support."""
    made = administrators.employ(organization.product, None, "desk@reader.example", administrators.SUPPORT)
    return signed_in(made.account)


def at(connection: SyncConnection, route: str, **more: object) -> str:
    where = {"organization_id": connection.organization_id, "connection_id": connection.pk}
    return reverse(route, kwargs=where | more)


def for_support(connection: SyncConnection, route: str = "support-connection", **more: object) -> str:
    where = {"product_id": connection.organization.product_id, "connection_id": connection.pk}
    return reverse(route, kwargs=where | more)


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def work_off() -> None:
    """As a worker does."""
    while given := turns.give_turns():
        for run in given:
            walk(run.pk)


def synced(connection: SyncConnection, **task: object) -> SyncRun:
    """A sync, shown and approved where it is the first."""
    run = runs.enqueue(connection, "somebody", **task)  # type: ignore[arg-type]  # a task is what it is
    work_off()
    run.refresh_from_db()
    if run.outcome == "previewed":
        holds.approve(run, "somebody")
        work_off()
        run.refresh_from_db()
    connection.refresh_from_db()
    return run


def test_who_could_be_imported_is_asked_anew_by_other_settings_and_after_a_whole_sync(
    office: Client, organization, folder
):
    connection = connected(organization, folder, "teachers-groups", people={"create": False})
    opened = office.get(at(connection, "sync-candidates")).url
    work_off()
    assert office.get(at(connection, "sync-candidates")).url == opened
    connections.edit(connection, {}, {"people": {"who": "staff"}})
    anew = office.get(at(connection, "sync-candidates")).url
    assert anew != opened
    work_off()
    synced(connection)
    assert office.get(at(connection, "sync-candidates")).url != anew


def test_people_are_chosen_imported_and_told_apart(office: Client, organization, folder):
    connection = connected(organization, folder, "teachers-groups", people={"create": False})
    opened = office.get(at(connection, "sync-candidates"))
    assert "being asked" in words(office.get(opened.url))
    assert (
        office.get(at(connection, "sync-candidates")).url == opened.url
    )  # the source is asked once, however often it is opened
    work_off()
    listed = words(office.get(opened.url))
    assert "2 people can be imported" in listed
    assert "Mathematics 5" in listed
    assert "Pia" not in listed
    assert "Theo" not in words(office.get(f"{opened.url}&q=tess"))

    look = SyncRun.objects.get()
    one = f"{at(connection, 'sync-candidate')}?look={look.pk}&person=t1"
    page = " ".join(re.sub("<[^>]+>", " ", words(office.get(one))).split())
    assert "Import this person" in page
    assert "Role by the roster Teacher" in page
    assert "Role as the settings say Teacher" in page
    assert "As the settings say: Teacher" in page
    assert office.post(one, {"role": "emperor"}).status_code == 422
    begun = office.post(one, {"role": "aide"})
    assert "Waiting" in words(office.get(begun.url))
    work_off()
    page = words(office.get(begun.url))
    assert "All of them are imported" in page
    assert "Syncs of their groups" in page
    teacher = Member.objects.get(source_id="t1")
    assert members.roles_held(teacher) == ("aide",)
    queued = SyncRun.objects.get(task__after__isnull=False)
    assert queued.outcome in ("success", "empty")  # though nothing else of this connection was ever begun

    many = f"{at(connection, 'sync-bulk-import')}?look={look.pk}"
    assert office.post(many, {}).status_code == 422
    site = directory.sites(organization).get(name="North School")
    began = office.post(many, {"person": ["t2", "t1", "p9"], "role": "teacher", "site": str(site.id)})
    work_off()
    page = words(office.get(began.url))
    assert "2 people were not imported" in page
    assert page.index("Has an account already") < page.index("Theo Bell")
    assert "The source has nobody of this sourcedId" in page
    assert words(office.get(opened.url)).count("Nobody is left to import") == 1
    assert "This person cannot be imported any more" in words(office.get(one, follow=True))
    assert office.get(at(connection, "sync-imported", run_id=look.pk)).status_code == 404


def test_all_are_imported_at_once_or_it_is_said_why_not(office: Client, organization, folder):
    connection = connected(organization, folder, "teachers-groups", people={"create": False})
    office.get(at(connection, "sync-candidates"))
    work_off()
    many = f"{at(connection, 'sync-bulk-import')}?look={SyncRun.objects.get().pk}"
    today = timezone.localdate()
    days = spans.add_span(connection, "blackout", today - timedelta(1), today + timedelta(1), "a test")
    refused = office.post(many, {"all": "on"})
    assert refused.status_code == 422
    assert not Member.objects.exists()
    spans.remove_span(connection, days.pk, "a test")
    began = office.post(many, {"all": "on"})
    work_off()
    assert set(Member.objects.values_list("source_id", flat=True)) >= {"t1", "t2"}
    assert [one.outcome for one in importing.results(SyncRun.objects.get(task__kind="import"))] == [
        "imported"
    ] * 2
    assert began.status_code == 302
    connections.edit(connection, {}, {"people": {"create": True}})
    assert "People come by themselves" in words(office.get(at(connection, "sync-candidates")))
    directory.edit_organization(organization, entitlements=[])
    assert "does not include rostering" in words(office.get(at(connection, "sync-candidates")))
    assert office.post(at(connection, "sync-candidates-ask")).status_code == 403


def test_one_user_is_found_and_synced_and_nobody_else(office: Client, organization, folder):
    connection = connected(organization, folder)
    synced(connection)
    deliver(
        folder,
        changed(changed(school(), "users", "p1", givenName="Philippa"), "users", "p2", givenName="Paulo"),
    )
    page = at(connection, "sync-resync")
    assert "This roster has brought nobody" in words(office.get(f"{page}?q=p1@school"))
    for told in ("P1@school.example", "col", "Cole Pia", "pi"):
        assert "Pia Cole" in words(office.get(f"{page}?q={told}"))
    pia = Member.objects.get(source_id="p1")
    queued = office.post(page, {"member": str(pia.id), "q": "p1@school.example"})
    assert "It is queued" in words(office.get(queued.url))
    piece = office.get(at(connection, "sync-walk", run_id=SyncRun.objects.latest("pk").pk))
    assert "<progress" in words(piece)
    work_off()
    assert office.get(at(connection, "sync-walk", run_id=SyncRun.objects.latest("pk").pk)).headers[
        "HX-Refresh"
    ]
    done = words(office.get(queued.url))
    assert "Philippa Cole" in done
    assert "1 updated" in done
    assert Member.objects.get(source_id="p2").given_name == "Paul"
    by_hand = members.add_member(organization, {"given_name": "Zoe", "family_name": "Hand"})
    assert "nobody like that" in words(office.get(f"{page}?q=hand"))
    assert office.post(page, {"member": str(by_hand.id)}).status_code == 409


def test_a_hold_shows_who_would_lose_most_and_is_decided_with_a_reason(office: Client, organization, folder):
    limits = {"members": {"floor": 1, "percent": 30, "site_percent": 0}}
    connection = connected(organization, folder, limits=limits)
    synced(connection)
    members.activate(Member.objects.get(source_id="p3"), timezone.now())
    deliver(folder, without(school(), "p1", "p3"))
    assert synced(connection).outcome in ("held", "partly")
    hold = SyncHold.objects.get(decision="", code="percent", kind="members")
    listed = words(office.get(at(connection, "sync-holds")))
    assert "2 of 5 members would be removed. The limit is 30 %." in listed
    assert "Now 5, then 3" in listed
    page = at(connection, "sync-hold", hold_id=hold.pk)
    shown = words(office.get(page))
    assert shown.index("Petra Eck") < shown.index("Pia Cole")  # she would lose a seat besides
    assert "limits.members.percent from 30 to 41" in shown
    decide = at(connection, "sync-hold-decide", hold_id=hold.pk)
    assert office.post(decide, {"decision": "approve", "why": ""}).status_code == 422
    assert office.post(decide, {"decision": "raise", "why": "They moved."}).status_code == 302
    work_off()
    hold.refresh_from_db()
    connection.refresh_from_db()
    assert (hold.decision, connection.policy["limits"]["members"]["percent"]) == ("raised", 41)
    assert AuditEntry.objects.filter(act="sync.raise").count() == 1
    assert "Limit raised" in words(office.get(at(connection, "sync-holds")))
    # What no limit holds any more was carried out by the plan that was made anew; what another does is decided by itself.
    while waits := SyncHold.objects.filter(decision="").first():
        there = at(connection, "sync-hold-decide", hold_id=waits.pk)
        assert office.post(there, {"decision": "approve", "why": "They moved."}).status_code == 302
        work_off()
    assert set(Member.objects.filter(state="archived").values_list("source_id", flat=True)) == {"p1", "p3"}


def test_a_hold_is_rejected_and_an_administrator_of_a_site_sees_no_names(
    office: Client, organization, folder, signed_in
):
    connection = connected(organization, folder, limits={"members": {"floor": 1}})
    synced(connection)
    deliver(folder, without(school(), "p1", "p3"))
    synced(connection)
    hold = SyncHold.objects.filter(decision="").first()
    assert hold is not None
    site = directory.sites(organization).first()
    assert site is not None
    one_site = signed_in(
        administrators.employ(
            organization.product, organization, "s@n.example", administrators.SITE, sites=[site.id]
        ).account
    )
    assert "would be removed" in words(one_site.get(at(connection, "sync-holds")))
    for route, more in (("sync-hold", {"hold_id": hold.pk}), ("sync-cases", {}), ("sync-resync", {})):
        assert one_site.get(at(connection, route, **more)).status_code == 404
    decide = at(connection, "sync-hold-decide", hold_id=hold.pk)
    assert (
        office.post(decide, {"decision": "reject", "why": "Their export was cut short."}).status_code == 302
    )
    assert "Their export was cut short." in words(office.get(at(connection, "sync-holds")))
    assert office.post(decide, {"decision": "approve", "why": "After all."}).status_code == 422

    runs.enqueue(connection, "somebody", preview=True)
    work_off()
    shown = SyncHold.objects.filter(decision="", run__outcome="previewed").first()
    assert shown is not None
    page = words(office.get(at(connection, "sync-hold", hold_id=shown.pk)))
    assert "Begin it from its preview" in page
    assert "Let it through once</button>" not in page
    decide = at(connection, "sync-hold-decide", hold_id=shown.pk)
    assert office.post(decide, {"decision": "approve", "why": "Why not."}).status_code == 422
    assert not Member.objects.filter(state="archived").exists()


def test_a_case_is_compared_decided_and_two_members_are_merged_and_parted(
    office: Client, organization, folder
):
    directory.edit_organization(organization, domains=[])
    connection = connected(organization, folder, match={"email_domains": "verified"})
    mine = members.add_member(
        organization,
        {"given_name": "Tess", "family_name": "Aimes", "email": "t1@school.example"},
        ["teacher"],
    )
    synced(connection)
    case = Case.objects.get(closed_at=None, source_id="t1")
    assert "t1" in words(office.get(at(connection, "sync-cases")))
    page = at(connection, "sync-case", case_id=case.pk)
    compared = words(office.get(page))
    for told in ("Aimes", "Ames", "the same", "differs", "Keep it apart", f"Link it to number {mine.id}"):
        assert told in compared
    assert office.post(page, {}).status_code == 422
    assert office.post(page, {"decision": "link:999999"}).status_code == 422
    assert office.post(page, {"decision": f"link:{mine.id}", "why": "It is her."}).status_code == 302
    synced(connection)
    mine.refresh_from_db()
    assert mine.family_name == "Ames"
    assert office.get(page).status_code == 404

    theo = Member.objects.get(source_id="t2")
    about = {
        "organization": organization,
        "connection": connection,
        "kind": "members",
        "source_id": "t2",
        "code": "match-disputed",
    }
    doubt = Case.objects.create(**about, candidates=[str(mine.id), str(theo.id)], opened_at=timezone.now())
    merge = at(connection, "sync-case-merge", case_id=doubt.pk)
    assert office.post(merge, {"kept": str(mine.id), "other": "1"}).status_code == 422
    assert (
        office.post(merge, {"kept": str(mine.id), "other": str(theo.id), "why": "One man."}).status_code
        == 302
    )
    made = merging.merges(organization).get()
    assert "Undo merge" in words(office.get(at(connection, "sync-cases")))
    undo = at(connection, "sync-merge-undo", merge_id=made.pk)
    assert office.post(undo).status_code == 302
    assert office.post(undo).status_code == 404
    theo.refresh_from_db()
    assert theo.state == "inactive"


def test_support_sees_who_waits_first_and_nobody_s_name_without_a_reason(
    desk: Client, organization, folder, django_assert_max_num_queries
):
    waits = connections.connect(
        an_organization(),
        "Hub",
        "partner_listing",
        {"listing": "https://hub.example/a", "tenant": "4711", "key": "k"},
    )
    SyncConnection.objects.filter(pk=waits.pk).update(state="waiting")
    fails, good = (
        connected(an_organization(), folder),
        connected(organization, folder, "classes-and-licences"),
    )
    deliver(folder, {})
    synced(fails)
    deliver(folder, school())
    synced(good)
    asked = helping.ask(organization, "ines@northwind.example", "Where are my classes?", connection=good)
    overview = reverse("support", kwargs={"product_id": organization.product_id})
    with django_assert_max_num_queries(16):
        page = words(desk.get(overview))
    order = [for_support(one) for one in (waits, good, fails)]
    assert sorted(order, key=page.index) == order
    assert "4711" in page
    found = words(desk.get(f"{overview}?q=4711"))
    assert for_support(waits) in found
    assert for_support(good) not in found

    assert desk.post(for_support(waits, "support-turn", turn="activate")).status_code == 302
    waits.refresh_from_db()
    assert waits.state == "active"
    assert (
        desk.post(for_support(waits, "support-turn", turn="pause"), {"why": "Asked by phone."}).status_code
        == 302
    )

    answer = reverse("support-answer", kwargs={"product_id": organization.product_id, "number": asked.pk})
    assert desk.post(answer, {"words": " "}).status_code == 422
    assert desk.post(answer, {"words": "They come tonight."}).status_code == 302
    assert desk.get(answer).status_code == 404

    shown = words(desk.get(for_support(good)))
    assert not [name for name in ("Tess", "Ames", "Pia", "t1@school") if name in shown]
    people = for_support(good, "support-people")
    assert desk.get(people).url == for_support(good)
    assert desk.post(for_support(good, "support-look"), {"why": " "}).status_code == 422
    opened = desk.post(for_support(good, "support-look"), {"why": "Case 12"})
    assert "Pia" in words(desk.get(opened.url))
    assert "steps-list" in words(desk.get(f"{opened.url}?record=p1"))
    assert "Pia" not in words(desk.get(f"{opened.url}?search=Theo"))
    kept = AuditEntry.objects.get(act="support.look")
    assert (kept.actor, "Case 12" in kept.after) == ("desk@reader.example", True)
    assert (
        desk.get(for_support(fails, "support-people")).status_code == 302
    )  # a reason holds for one connection
    session = desk.session
    session["support_looks"] = {str(good.pk): (timezone.now() - timedelta(minutes=1)).isoformat()}
    session.save()
    assert desk.get(people).status_code == 302


def test_support_switches_an_older_connection_after_a_preview(desk: Client, organization, folder):
    connection = connected(organization, folder, classes={"form": "group"})
    synced(connection)
    assert desk.post(for_support(connection, "support-switch")).status_code == 302
    work_off()
    assert "The switch was planned" in words(desk.get(for_support(connection)))
    run = SyncRun.objects.latest("pk")
    assert desk.post(for_support(connection, "support-approve", run_id=run.pk)).status_code == 302
    work_off()
    assert "Makes classes" in words(desk.get(for_support(connection)))
    assert desk.post(for_support(connection, "support-approve", run_id=run.pk)).status_code == 422
    assert not deciding.open_cases(connection)
