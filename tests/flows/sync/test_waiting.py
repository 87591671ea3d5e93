"""Held parts of a sync that nobody decides about: one letter, one reminder, an end after two weeks; through a real mail server."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.flows import administrators, directory, post, schedule
from rollbook.flows.sync import holds, runs, turns
from rollbook.flows.sync.waiting import look_after_sync_holds
from rollbook.flows.sync.walk import walk
from rollbook.store.models import Letter, Member, Organization, SyncConnection, SyncHold, SyncRun
from tests.cli.typed import typed
from tests.engine.sync.schools import school, without
from tests.flows.sync.organizations import an_organization, connected, deliver
from tests.kept import kept
from tests.mailbox import Mailbox, mail_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


def customer() -> Organization:
    """Two administer it, one a site of it, and one did."""
    made = an_organization()
    site = directory.add_site(made, "Annex")
    for name in ("ines", "omar", "gone"):
        administrators.employ(made.product, made, f"{name}@northwind.example")
    administrators.employ(made.product, made, "site@northwind.example", administrators.SITE, sites=[site.id])
    left = administrators.find_administrator(administrators.administrators_of(made), "gone@northwind.example")
    administrators.let_go(left, timezone.now())
    return made


def two_held(folder: Path) -> SyncConnection:
    """Two of its five people are gone at the source, which a limit holds."""
    deliver(folder, school())
    made = connected(customer(), folder, limits={"members": {"floor": 1, "percent": 30}})
    shown = sync(made)
    holds.approve(shown, "somebody")
    work_off()
    deliver(folder, without(school(), "p1", "p3"))
    sync(made)
    return made


connection = kept(two_held)


def sync(connection: SyncConnection) -> SyncRun:
    run = runs.enqueue(connection, "somebody")
    work_off()
    run.refresh_from_db()
    return run


def work_off() -> None:
    while given := turns.give_turns():
        for run in given:
            walk(run.pk)


def test_administrators_are_told_once_reminded_once_and_in_the_end_it_is_given_up(
    mailbox: Mailbox, connection: SyncConnection
) -> None:
    now = timezone.now()
    schedule.look_after_all()
    assert sorted(mailbox.recipients) == ["ines@northwind.example", "omar@northwind.example"]
    words = mailbox.letters[0].get_payload(decode=True).decode()
    assert "2 of 5 members would be removed" in words
    assert f"/organizations/{connection.organization_id}/rostering/{connection.pk}/holds" in words
    assert not [name for name in ("Pia", "Cole", "Petra", "Eck") if name in words]

    sync(connection)  # the next night finds the same
    schedule.look_after_all()
    assert look_after_sync_holds(now + timedelta(days=1)) == 0
    assert len(mailbox.letters) == 2
    assert look_after_sync_holds(now + timedelta(days=2, minutes=1)) == 1
    assert look_after_sync_holds(now + timedelta(days=3)) == 0
    post.send_due()
    assert len(mailbox.letters) == 4
    assert "still waits" in str(mailbox.letters[2]["subject"])

    assert look_after_sync_holds(now + timedelta(days=15)) == 1
    post.send_due()
    assert "given up" in str(mailbox.letters[4]["subject"])
    assert set(SyncHold.objects.exclude(decision="replaced").values_list("decision", flat=True)) == {
        "expired"
    }
    assert not Member.objects.filter(state="archived").exists()
    sync(connection)
    schedule.look_after_all()
    assert len(mailbox.letters) == 8  # it asks anew


def test_without_a_mail_server_letters_wait_and_are_listed(connection: SyncConnection, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    schedule.look_after_all()
    assert Letter.objects.filter(organization=connection.organization_id).count() == 2
    listed = json.loads(typed("mail", "list", "--json").stdout)
    assert [one["organization"] for one in listed] == [connection.organization_id]


def test_commands_show_what_is_held_whom_it_touches_and_raise_the_limit(connection: SyncConnection) -> None:
    listed = json.loads(typed("sync", "holds", str(connection.pk), "--json").stdout)
    hold = str(next(one["hold"] for one in listed if one["level"] == "organization"))
    touched = json.loads(typed("sync", "affected", hold, "--json").stdout)
    assert [(one["name"], one["memberships"], one["archived"]) for one in touched] == [
        ("Pia Cole", 1, True),
        ("Petra Eck", 1, True),
    ]
    assert len(json.loads(typed("sync", "affected", hold, "--after", "1", "--json").stdout)) == 1
    typed("sync", "raise", hold, "--why", " ", expect=1)
    raised = json.loads(typed("sync", "raise", hold, "--why", "They moved away.", "--json").stdout)
    assert (raised["setting"], raised["to"]) == ("limits.members.percent", 41)
    customers = json.loads(typed("product", "customers", "Reader", "--json").stdout)
    assert [(one["connection"], one["holds"] > 0) for one in customers] == [(connection.pk, True)]
