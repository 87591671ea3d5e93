"""The rostering pages of an organization: its state at a glance, Auto-sync, asking for help, settings; and who is told why not."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from rollbook.console.organization.settings_words import ELSEWHERE, SECTIONS, SETTINGS
from rollbook.engine.sync import policy
from rollbook.flows import administrators, directory
from rollbook.flows.sync import connections, customer, helping, holds, own, runs
from rollbook.flows.sync import settings as sync_settings
from rollbook.refusal import Languages
from rollbook.store.models import AuditEntry, HelpRequest, Letter, Organization, SyncConnection, SyncRun
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "ines@northwind.example"


@pytest.fixture
def organization(db: None) -> Organization:
    return an_organization(time_zone="America/Chicago", seats_bought=40)


@pytest.fixture
def connection(organization: Organization, tmp_path: Path) -> SyncConnection:
    deliver(tmp_path, school())
    return connected(organization, tmp_path)


@pytest.fixture
def office(organization: Organization, signed_in) -> Client:
    return signed_in(administrators.employ(organization.product, organization, EMAIL).account)


@pytest.fixture
def one_site(organization: Organization, signed_in) -> Client:
    """A site administrator: may look, and change nothing."""
    site = directory.add_site(organization, "North School")
    made = administrators.employ(
        organization.product, organization, "site@northwind.example", administrators.SITE, sites=[site.id]
    )
    return signed_in(made.account)


def at(connection: SyncConnection, route: str = "sync-overview", **more: object) -> str:
    where = {"organization_id": connection.organization_id, "connection_id": connection.pk}
    return reverse(route, kwargs=where | more)


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def synced(connection: SyncConnection) -> SyncRun:
    """The first sync, begun, shown and approved."""
    with own.own_process() as process:
        shown = own.walk_here(runs.enqueue(connection, "somebody", process=process), lambda _: None)
        done = own.walk_here(holds.approve(shown, "somebody", process=process), lambda _: None)
    connection.refresh_from_db()
    return done


def test_without_a_roster_the_page_says_what_to_do_first(office: Client, organization):
    page = office.get(reverse("rostering", kwargs={"organization_id": organization.pk}))
    assert "No roster is connected yet" in words(page)


def test_one_roster_is_come_to_straight_and_several_are_listed(office: Client, organization, connection):
    listed = reverse("rostering", kwargs={"organization_id": organization.pk})
    assert office.get(listed).url == at(connection)
    connected(organization, Path(connection.source_settings["path"]))
    page = words(office.get(listed))
    assert page.count("CSV files on this server") == 2
    assert connection.source_settings["path"] not in page


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("requested", "You test the connection"),
        ("waiting", "Product support activates it"),
        ("active", "You begin the first sync"),
        ("paused", "You let it go on"),
        ("disconnected", "If you connect it again"),
    ],
)
def test_each_state_says_what_happens_next_and_who_does_it(office: Client, connection, state, says):
    SyncConnection.objects.filter(pk=connection.pk).update(state=state)
    assert says in words(office.get(at(connection)))


def test_after_the_first_sync_the_page_has_its_figures(office: Client, connection):
    before = words(office.get(at(connection)))
    assert "Auto-sync" not in before.split('aria-labelledby="state"')[1]
    synced(connection)
    page = words(office.get(at(connection)))
    assert "5 inactive" in page
    assert "0 of 40 bought" in page
    assert "Every night at 2 a.m." in page
    assert "0 holds" in page
    assert "5 created" in page


# --- Beginning, pausing, ending -----------------------------------------------------------------------------------------------------


def test_the_first_sync_is_only_shown_and_a_later_one_is_carried_out(office: Client, connection):
    office.post(at(connection, "sync-now"))
    first = SyncRun.objects.get()
    assert (first.task["preview"], first.started_by) == (True, EMAIL)
    SyncRun.objects.update(outcome="success", ended_at=timezone.now())
    SyncConnection.objects.update(first_applied_at=timezone.now())
    answer = office.post(at(connection, "sync-now"))
    second = SyncRun.objects.latest("pk")
    assert not second.task["preview"]
    assert answer.url == at(connection, "sync-run", run_id=second.pk)


def test_pausing_going_on_and_disconnecting_say_who_did_it(office: Client, connection):
    for route, state in (
        ("sync-pause", "paused"),
        ("sync-go-on", "active"),
        ("sync-disconnect", "disconnected"),
        ("sync-again", "requested"),
    ):
        office.post(at(connection, route), {"why": "Summer"})
        connection.refresh_from_db()
        assert (connection.state, connection.state_by, connection.state_why) == (state, EMAIL, "Summer")


def test_what_support_activates_no_organization_activates_itself(office: Client, connection):
    SyncConnection.objects.update(state="waiting")
    office.post(at(connection, "sync-go-on"))
    connection.refresh_from_db()
    assert connection.state == "waiting"


CHANGING = (
    "sync-now",
    "sync-pause",
    "sync-go-on",
    "sync-disconnect",
    "sync-again",
    "sync-auto",
    "sync-zone",
    "sync-days-add",
    "sync-source",
)


@pytest.mark.parametrize("route", CHANGING)
def test_who_may_only_look_is_told_why_and_changes_nothing(one_site: Client, connection, route):
    answer = one_site.post(at(connection, route), {"every": "by-hand", "zone": "Asia/Tokyo"})
    assert answer.status_code == 403
    assert "Only an organization administrator can change this" in words(answer)
    assert not SyncRun.objects.exists()


def test_a_plan_without_rostering_is_told_and_no_button_is_shown(office: Client, organization, connection):
    Organization.objects.update(entitlements=[])
    page = words(office.get(at(connection)))
    assert "does not include rostering" in page
    assert at(connection, "sync-now") not in page
    assert office.post(at(connection, "sync-now")).status_code == 403
    assert at(connection, "sync-disconnect") not in page


# --- Auto-sync ----------------------------------------------------------------------------------------------------------------------


def test_times_are_set_and_shown_with_the_next_three_starts(office: Client, connection):
    page = words(
        office.post(
            at(connection, "sync-auto"), {"every": "week", "at": "01:30", "weekday": "5"}, follow=True
        )
    )
    assert "Every week on Saturday at 1:30 a.m." in page
    assert page.split('id="starts"')[1].split("</ol>")[0].count("1:30 a.m.") == 3
    connection.refresh_from_db()
    assert (connection.policy["timing"]["weekday"], connection.policy["timing"]["every"]) == (5, "week")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"every": "night", "at": "25:00"}, "at"),
        ({"every": "month", "at": "02:00", "day": "31"}, "day"),
        ({"every": "month", "at": "02:00", "day": "first"}, "day"),
        ({"every": "cron", "cron": "* * * *"}, "cron"),
    ],
)
def test_times_that_cannot_be_are_told_beside_their_field(office: Client, connection, given, field):
    answer = office.post(at(connection, "sync-auto"), given)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in words(answer)
    assert "timing." not in words(answer)
    connection.refresh_from_db()
    assert connection.policy["timing"]["every"] == "night"


def test_other_times_leave_a_plan_that_waits_as_it_is(office: Client, connection):
    before = connection.generation
    office.post(at(connection, "sync-auto"), {"every": "by-hand"})
    connection.refresh_from_db()
    assert connection.generation == before


def test_a_start_in_a_blackout_is_marked_and_days_are_taken_out_again(office: Client, connection):
    days = {"kind": "blackout", "first": "2090-01-01", "last": "2090-01-31", "why": "Exams"}
    assert office.post(at(connection, "sync-days-add"), days | {"last": "2089-01-01"}).status_code == 422
    page = words(office.post(at(connection, "sync-days-add"), days, follow=True))
    assert "Exams" in page
    assert EMAIL in page
    today = timezone.localdate()
    soon = {"first": f"{today}", "last": f"{today + timedelta(days=9)}"}
    office.post(at(connection, "sync-days-add"), days | soon)
    assert "Blackout: made up for afterwards" in words(office.get(at(connection, "sync-auto")))
    span = connection.spans.earliest("pk")
    office.post(at(connection, "sync-days-remove", days_id=span.pk))
    span.refresh_from_db()
    assert span.removed_by == EMAIL


def test_the_clock_of_the_organization_is_set_and_must_exist(office: Client, organization, connection):
    assert office.post(at(connection, "sync-zone"), {"zone": "Nowhere/Land"}).status_code == 422
    office.post(at(connection, "sync-zone"), {"zone": "America/Denver"})
    organization.refresh_from_db()
    assert organization.time_zone == "America/Denver"


# --- Settings -----------------------------------------------------------------------------------------------------------------------


def test_every_setting_is_on_a_page_with_words_of_its_own():
    asked = [name for section in SECTIONS for name in section.names]
    theirs = {one.name for one in policy.settings()} - ELSEWHERE
    assert sorted(asked) == sorted(name for name in theirs if not name.startswith("timing."))
    for one in policy.settings():
        said = SETTINGS.get(one.name)
        assert said is None or not one.choices or set(said.choices or ()) == set(one.choices)


@pytest.mark.parametrize("section", [one.name for one in SECTIONS])
def test_a_page_of_settings_sent_back_as_it_is_changes_nothing(office: Client, connection, section):
    answer = office.get(at(connection, "sync-settings-section", section=section))
    assert answer.status_code == 200
    sent = {}
    for _, fields in answer.context["groups"]:
        for one in fields:
            if one.control == "table":
                sent |= {f"{one.name}.{row.name}": chosen(row.choices) for row in one.rows}
            elif one.control == "ticks":
                sent[one.name] = [choice.value for choice in one.choices if choice.is_chosen]
            else:
                sent[one.name] = chosen(one.choices) if one.choices else one.value
    answer = office.post(at(connection, "sync-settings-section", section=section), sent)
    assert "These settings are what is set already" in words(answer)


def chosen(choices) -> str:
    return next(one.value for one in choices if one.is_chosen)


def test_before_the_first_sync_a_change_is_kept_at_once_with_who_and_when(office: Client, connection):
    where = at(connection, "sync-settings-section", section="leavers")
    kept = {
        "people.archive": "yes",
        "classes.archive": "yes",
        "grace.reads": "3",
        "grace.students": "0",
        "grace.staff": "0",
        "grace.classes": "0",
    }
    answer = office.post(where, kept | {"grace.reads": "three"})
    assert answer.status_code == 422
    assert 'id="s-grace-reads-wrong"' in words(answer)
    page = words(office.post(where, kept, follow=True))
    connection.refresh_from_db()
    assert connection.policy["grace"]["reads"] == 3
    assert "The preset has: 1" in page
    history = page.split('id="history"')[1]
    assert "<del>1</del>" in history
    assert "<ins>3</ins>" in history
    assert EMAIL in history
    assert not SyncRun.objects.exists()


def test_a_change_after_the_first_sync_is_shown_and_counts_once_it_is_begun(office: Client, connection):
    synced(connection)
    sent = {"roles.map.teacher": "aide", "roles.ceiling": "teacher", "roles.default": ""}
    office.post(at(connection, "sync-settings-section", section="roles"), sent)
    run = SyncRun.objects.latest("pk")
    assert run.task["policy"]["roles"]["map"]["teacher"] == "aide"
    connection.refresh_from_db()
    assert connection.policy["roles"]["map"]["teacher"] == "teacher"
    with own.own_process() as process:
        SyncRun.objects.filter(pk=run.pk).update(process=process)
        shown = own.walk_here(run, lambda _: None)
        assert (shown.outcome, shown.counts["operations"]["members"]) == ("previewed", {"update": 2})
        page = words(office.get(at(connection, "sync-settings")))
        assert "A change waits" in page
        assert "<del>Teacher</del>" in page
        own.walk_here(holds.approve(shown, EMAIL, process=process), lambda _: None)
    connection.refresh_from_db()
    assert connection.policy["roles"]["map"]["teacher"] == "aide"
    (latest, *_) = sync_settings.history(connection)
    assert (latest.by, [one.as_dict() for one in latest.changes]) == (
        EMAIL,
        [{"setting": "roles.map.teacher", "old": "teacher", "new": "aide"}],
    )
    assert "A change waits" not in words(office.get(at(connection, "sync-settings")))


def test_a_change_that_is_not_wanted_is_withdrawn(office: Client, connection):
    SyncConnection.objects.update(first_applied_at=timezone.now())
    connection.refresh_from_db()
    run = sync_settings.change(connection, {"people": {"create": False}}, EMAIL)
    assert run is not None
    SyncRun.objects.update(outcome="previewed", generation=connection.generation)
    assert "Automatically create users" in words(office.get(at(connection, "sync-settings")))
    office.post(at(connection, "sync-settings-withdraw", run_id=run.pk))
    run.refresh_from_db()
    assert run.outcome == "cancelled"
    with pytest.raises(holds.NothingToApprove):
        holds.approve(run, EMAIL)


def test_while_it_is_paused_a_change_is_shown_and_begun_once_it_goes_on(office: Client, connection):
    synced(connection)
    connections.pause(connection)
    page = words(office.get(at(connection, "sync-settings-section", section="leavers")))
    assert "you can begin it once you let it go on" in page
    with own.own_process() as process:
        shown = sync_settings.change(connection, {"grace": {"reads": 4}}, EMAIL, process)
        assert shown is not None
        own.walk_here(shown, lambda _: None)
    preview = at(connection, "sync-preview", run_id=shown.pk)
    page = words(office.get(preview))
    assert "This connection is paused" in page
    assert "Begin sync" not in page
    assert office.post(at(connection, "sync-go-on"), {"preview": shown.pk}).url == preview
    assert "Begin sync" in words(office.get(preview))


def test_what_the_plan_has_to_include_is_no_setting_of_the_organization(connection):
    with pytest.raises(customer.NotInThePlan):
        sync_settings.change(connection, {"access": {"entitlement": ""}}, EMAIL)


# --- The source ---------------------------------------------------------------------------------------------------------------------


def test_a_secret_stays_where_it_is_left_empty_and_goes_to_no_other_address(office: Client, organization):
    filled = {"url": "https://sis.example", "client_id": "reader", "client_secret": "first secret"}
    made = connections.connect(
        organization, "Server", "oneroster_rest", filled, settings="classes-and-licences"
    )
    page = words(office.get(at(made, "sync-source")))
    assert "first secret" not in page
    sent = {
        "name": "Server",
        "url": "https://sis.example",
        "client_id": "reader",
        "sign_in": "oauth2",
        "client_secret": "",
    }
    for route in ("sync-source", "sync-test"):
        office.post(at(made, route), sent | {"url": "https://elsewhere.example"})
        made.refresh_from_db()
        assert made.source_settings["url"] == "https://sis.example"
    office.post(at(made, "sync-source"), sent | {"client_secret": "second secret"})
    made.refresh_from_db()
    assert connections.secrets_of(made) == {"client_secret": "second secret"}
    told = " ".join(AuditEntry.objects.values_list("after", flat=True))
    assert "newSecrets" in told
    assert "second secret" not in told


def test_a_folder_of_the_server_is_tested_and_set_by_nobody_here(office: Client, connection, tmp_path):
    assert "Connected successfully" in words(office.post(at(connection, "sync-source-test")))
    office.post(at(connection, "sync-source"), {"name": "Other name", "path": "/etc"})
    connection.refresh_from_db()
    assert (connection.name, connection.source_settings["path"]) == ("Other name", str(tmp_path))
    tmp_path.rename(tmp_path.with_name("elsewhere"))
    assert "does not answer as it should" in words(office.post(at(connection, "sync-source-test")))


# --- Asking for help ----------------------------------------------------------------------------------------------------------------


def test_help_is_asked_from_a_page_with_its_run_and_the_answer_is_shown_and_told(
    one_site: Client, connection, monkeypatch
):
    run = SyncRun.objects.create(
        organization=connection.organization, connection=connection, outcome="failed"
    )
    place = reverse("ask-help", kwargs={"organization_id": connection.organization_id})
    link = f"{place}?page=sync-auto&connection={connection.pk}&run={run.pk}"
    assert link.split("&run")[0].replace("&", "&amp;") in words(one_site.get(at(connection, "sync-auto")))
    assert "Failed" in words(one_site.get(link))
    assert one_site.post(place, {"words": " "}).status_code == 422
    administrators.employ(
        connection.organization.product, None, "desk@reader.example", administrators.SUPPORT
    )
    sent = {"words": "It fails each night.", "page": "sync-auto", "connection": connection.pk, "run": run.pk}
    one_site.post(place, sent, headers={"Accept-Language": "es"})
    asked = HelpRequest.objects.get()
    assert (asked.run, asked.connection, asked.page, asked.asked_by) == (
        run,
        connection,
        "sync-auto",
        "site@northwind.example",
    )
    letter = Letter.objects.get()
    assert letter.address == "desk@reader.example"
    assert f"/support/questions/{asked.pk}" in letter.words
    assert "fails each night" not in letter.words + letter.subject
    monkeypatch.setattr(Languages, "say", staticmethod(lambda words: f"{get_language()}: {words}"))
    helping.answer(asked.pk, "help@reader.example", "The key had expired.", connection.organization.product)
    page = words(one_site.get(at(connection)))
    assert "The key had expired." in page
    assert not helping.waiting().exists()
    told = Letter.objects.exclude(pk=letter.pk).get()
    assert (told.address, told.subject[:4]) == ("site@northwind.example", "es: ")
    assert place in told.words
    assert "expired" not in told.words + told.subject
    Letter.objects.all().delete()
    for who in ("a program", "gone@northwind.example"):
        unheard = helping.ask(connection.organization, who, "And why?")
        helping.answer(unheard.pk, "help@reader.example", "So.")
    assert not Letter.objects.exclude(address="desk@reader.example").exists()


def test_a_run_of_another_organization_is_attached_to_nothing(office: Client, organization, tmp_path):
    other = connected(an_organization(), tmp_path)
    run = SyncRun.objects.create(organization=other.organization, connection=other)
    office.post(
        reverse("ask-help", kwargs={"organization_id": organization.pk}),
        {"words": "Help", "run": run.pk, "connection": other.pk},
    )
    asked = HelpRequest.objects.get()
    assert (asked.run, asked.connection) == (None, None)
