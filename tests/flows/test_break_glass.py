"""Break-glass accounts: their use is told to all installation operators, on their pages and by e-mail, until one of them knows of it."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from rollbook.flows import audit, break_glass, operators, post, second_steps, sign_ins
from rollbook.flows.districts import add_district
from rollbook.store.models import Account, BreakGlassUse, Letter

PASSWORD = "seven quiet herons at noon"
SAFE = "safe@example.org"


@pytest.fixture
def root(db: None) -> Account:
    return operators.add_operator("root@example.org", operators.INSTALLATION, None, password=PASSWORD).account


@pytest.fixture
def in_emergency(root: Account) -> Client:
    """Signed in with the break-glass account."""
    break_glass.make(SAFE, password=PASSWORD)
    client = Client()
    client.post("/sign-in", {"login": SAFE, "password": PASSWORD})
    return client


def came_in_as(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def test_its_use_is_told_to_every_installation_operator_once(in_emergency: Client, root: Account):
    add_district("Cedar Valley Schools")
    assert break_glass.tell_due() == 1
    assert break_glass.tell_due() == 0
    letter = Letter.objects.get()
    assert (letter.address, letter.district) == (root.email, None)
    assert post.send_due() == 1
    [message] = mail.outbox
    assert SAFE in message.body
    assert "127.0.0.1" in message.body
    assert PASSWORD not in message.body


def test_a_worker_that_died_after_writing_does_not_write_again(in_emergency: Client):
    break_glass.tell_due()
    BreakGlassUse.objects.update(told_at=None)
    break_glass.tell_due()
    assert Letter.objects.count() == 1


def test_it_stands_in_the_audit_log_of_the_installation(in_emergency: Client):
    sign_ins.pour()
    found = audit.entries(None, act="break_glass").order_by("number")
    assert list(found.values_list("act", "about")) == [("break_glass.make", SAFE), ("break_glass.use", SAFE)]


def test_pages_say_it_until_an_installation_operator_knows_of_it(in_emergency: Client, root: Account):
    district = add_district("Cedar Valley Schools")
    own = operators.add_operator("ada@cedar.example", operators.DISTRICT, district).account
    office, local = came_in_as(root), came_in_as(own)
    dashboard = reverse("dashboard", args=[district.pk])
    words = "A break-glass account was used"
    assert words in office.get("/").content.decode()
    assert words in office.get(dashboard).content.decode()
    assert words not in local.get(dashboard).content.decode()
    use = BreakGlassUse.objects.get()
    assert local.post(reverse("alarm-acknowledge", args=[use.pk])).status_code == 404
    page = office.post(reverse("alarm-acknowledge", args=[use.pk]), follow=True).content.decode()
    assert words not in page
    use.refresh_from_db()
    assert use.acknowledged_by == root.email
    with pytest.raises(break_glass.NoSuchUse):
        break_glass.acknowledge(use.pk, root)


def test_who_used_it_cannot_say_that_all_is_well(in_emergency: Client):
    use = BreakGlassUse.objects.get()
    assert "This is you" in in_emergency.get("/").content.decode()
    in_emergency.post(reverse("alarm-acknowledge", args=[use.pk]))
    assert break_glass.not_acknowledged().exists()


def test_no_second_step_is_required_of_it(in_emergency: Client, root: Account, settings):
    settings.REQUIRE_SECOND_STEP = True
    assert in_emergency.get("/").status_code == 200
    assert second_steps.is_missing(root)


def test_other_sign_ins_raise_no_alarm(root: Account):
    Client().post("/sign-in", {"login": root.email, "password": PASSWORD})
    assert not BreakGlassUse.objects.exists()


def test_nobody_who_signs_in_here_becomes_one(root: Account):
    with pytest.raises(operators.AlreadyOperator):
        break_glass.make(str(root.email))
