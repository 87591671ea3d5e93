"""Signing in as the audit log tells it: noted beside the roster, brought into the chains once, and of strangers no more than a shape."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest
from django.db import connections

from rollbook.flows import audit, operators, partners, sign_ins
from rollbook.flows.districts import add_district
from rollbook.store.models import AuditNote

pytestmark = pytest.mark.django_db


@pytest.fixture
def district():
    return add_district("Riverbend")


def work_in(*districts):
    for one in districts:
        post = operators.add_operator("kim@riverbend.example", operators.DISTRICT, one)
    return post.account


def told(district_id: int | None) -> list[dict]:
    return [audit.told(entry) for entry in audit.entries(district_id, act="sign_in").order_by("number")]


def test_every_district_one_works_in_reads_of_it_and_the_chains_hold(district):
    other = add_district("Cedar Valley")
    account = work_in(district, other)
    sign_ins.came_in(account, "203.0.113.7")
    sign_ins.went_out(account, "203.0.113.7")
    at = sign_ins.waiting().get(act="sign_in.end").at
    assert sign_ins.pour() == 2
    for place in (district.pk, other.pk):
        first, second = told(place)
        assert (first["act"], second["act"]) == ("sign_in.succeed", "sign_in.end")
        assert (second["actor"], second["door"], second["about"]) == (account.email, "console", account.email)
        assert second["after"] == {"address": "203.0.113.7"}
        assert audit.entries(place)[0].at == at
        assert audit.verify(place).holds
    assert told(None) == []


def test_who_fails_is_told_by_the_account_that_was_tried_and_a_stranger_by_a_shape(district):
    account = work_in(district)
    sign_ins.failed(" KIM@riverbend.example", "203.0.113.7")
    sign_ins.failed("My-secret-7\0@home.example", "2001:db8::1")
    sign_ins.pour()
    [known], [stranger] = told(district.pk), told(None)
    assert (known["actor"], known["object"], known["about"]) == (
        sign_ins.NOT_SIGNED_IN,
        str(account.pk),
        account.email,
    )
    assert (stranger["object"], stranger["after"]) == ("", {"address": "2001:db8::1"})
    assert stranger["about"].startswith("Xx-xxxxxx-9")
    assert "secret" not in json.dumps(stranger)


def test_a_partners_developer_stands_in_the_log_of_the_installation():
    developer = partners.employ(partners.add_partner("Quorndle"), "ines@quorndle.example")
    sign_ins.came_in(developer.account, "203.0.113.7")
    sign_ins.pour()
    assert [line["about"] for line in told(None)] == ["ines@quorndle.example"]


def test_a_note_that_was_poured_when_the_process_died_is_not_poured_twice(district):
    sign_ins.came_in(work_in(district), "203.0.113.7")
    note = AuditNote.objects.get()
    audit.pour(note)
    assert sign_ins.pour() == 1
    assert len(told(district.pk)) == 1
    assert not sign_ins.waiting().exists()


@pytest.mark.django_db(transaction=True, databases=["default", "reading"])
def test_two_who_pour_at_once_pour_each_once():
    district = add_district("Riverbend")
    account = work_in(district)
    for number in range(8):
        sign_ins.came_in(account, f"203.0.113.{number}")

    def pour(_: int) -> None:
        try:
            sign_ins.pour()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(pour, range(2)))
    addresses = sorted(line["after"]["address"] for line in told(district.pk))
    assert addresses == [f"203.0.113.{number}" for number in range(8)]
    assert audit.verify(district.pk).holds


@pytest.mark.django_db(transaction=True, databases=["default", "reading"])
def test_a_worker_goes_on_pouring_until_it_is_stopped():
    district, stop = add_district("Riverbend"), Event()
    account = work_in(district)
    pouring = Thread(target=sign_ins.keep_pouring, args=(stop,))
    sign_ins.came_in(account, "203.0.113.7")
    pouring.start()
    until = time.monotonic() + 60
    while sign_ins.waiting().exists() and time.monotonic() < until:
        time.sleep(0.02)
    stop.set()
    pouring.join()
    assert [line["act"] for line in told(district.pk)] == ["sign_in.succeed"]
