"""Tests of exports: of OpenSSH's own server, of one that is silent, of none; replaced, begun again after a death, walked by a worker."""

import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.connectors.sftp_push import STEPS
from rollbook.flows import export_tests, exports
from rollbook.flows.export_tests import FAILED, REPLACED, SUCCESS
from rollbook.store.models import Export, ExportTest, Grant
from tests.connectors.sshd import Sshd
from tests.delivered import a_district, a_grant

pytestmark = pytest.mark.django_db
PICKUP = {"login": "reading-app", "password": "correct horse battery"}


@pytest.fixture
def grant(db: None) -> Grant:
    return a_grant(a_district())


def push_to(grant: Grant, sshd: Sshd, folder: Path, **more: str) -> Export:
    filled = {
        "host": "127.0.0.1", "port": str(sshd.port), "login": sshd.login, "path": str(folder), "host_key": sshd.host_key(),
        "private_key": sshd.client_key, "timeout_seconds": "5",
    }  # fmt: skip
    return exports.set_export(grant, "push", filled | more, "Helen")


def test_what_a_worker_finds_is_kept_with_every_step_told(sshd, grant, tmp_path, monkeypatch):
    push_to(grant, sshd, tmp_path)
    steps: list[tuple[int, int]] = []
    change = export_tests._change

    def watched(test: ExportTest, **columns: int) -> None:
        steps.extend([(columns["done"], columns["known"])] if "known" in columns else [])
        change(test, **columns)

    monkeypatch.setattr(export_tests, "_change", watched)
    asked = export_tests.ask(grant, "Helen")
    assert (asked.phase, asked.outcome) == ("waiting", "")
    ended = export_tests.walk(asked)
    assert (ended.outcome, ended.reason, ended.phase) == (SUCCESS, "", "done")
    assert "Files can be put" in ended.found[1]
    assert steps == [(number, len(STEPS)) for number in range(len(STEPS))]
    assert list(tmp_path.iterdir()) == [], "nothing is left there"
    assert export_tests.waiting() == []
    assert export_tests.walk(ended).fence == ended.fence, "what has ended is not walked again"


def test_what_is_wrong_is_said_in_words(sshd, grant, tmp_path):
    push_to(grant, sshd, tmp_path / "missing")
    assert "There is no folder" in export_tests.test_here(grant, "Helen").reason
    push_to(grant, sshd, tmp_path, port="1")
    ended = export_tests.test_here(grant, "Helen")
    assert ended.outcome == FAILED
    assert "nothing listens there" in ended.reason
    assert sshd.client_key not in str(export_tests.told(ended))
    push_to(grant, sshd, tmp_path, host_key="")
    shown = export_tests.test_here(grant, "Helen")
    assert (shown.outcome, shown.known) == (SUCCESS, 1)
    assert sshd.host_key() in shown.found[0]
    exports.remove_export(grant)
    ExportTest.objects.update(outcome="", phase="waiting")
    assert "set up its SFTP export first" in export_tests.walk(ExportTest.objects.earliest("pk")).reason
    with pytest.raises(exports.NoExport):
        export_tests.ask(grant, "Helen")


def test_a_silent_server_keeps_no_other_test_waiting(grant, sshd, tmp_path):
    """The one is walked in a thread that hears nothing for two seconds; the other's answer is there before."""
    other = a_grant(grant.district, app="Another app")
    exports.set_export(other, "pickup", PICKUP, "Helen")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        push_to(grant, sshd, tmp_path, port=str(silent.getsockname()[1]), timeout_seconds="1")
        begun = time.monotonic()
        first, second = export_tests.ask(grant, "Helen"), export_tests.ask(other, "Helen")
        assert [one.pk for one in export_tests.waiting()] == [first.pk, second.pk]
        assert export_tests.walk(second).outcome == SUCCESS
        ended = export_tests.walk(first)
    assert ended.outcome == FAILED
    assert "did not answer within 1 seconds" in ended.reason
    assert time.monotonic() - begun < 10


def test_a_later_test_is_in_the_place_of_one_under_way(grant):
    exports.set_export(grant, "pickup", PICKUP, "Helen")
    first = export_tests.ask(grant, "Helen")
    second = export_tests.ask(grant, "Helen")
    assert export_tests.walk(first).outcome == REPLACED
    assert [one.pk for one in export_tests.waiting()] == [second.pk]
    for _ in range(export_tests.KEPT):
        export_tests.test_here(grant, "Helen")
    assert export_tests.tests_of(grant).count() == export_tests.KEPT
    with pytest.raises(export_tests.NoSuchTest):
        export_tests.find_test(grant, first.pk)


def test_one_whose_process_died_is_begun_again_and_not_for_ever(grant):
    export = exports.set_export(grant, "pickup", PICKUP, "Helen")
    test = export_tests.ask(grant, "Helen")
    assert not export_tests.is_of_other_settings(test, export)
    left = ExportTest.objects.filter(pk=test.pk)
    left.update(phase="running", fence=1, alive_until=timezone.now() + timedelta(seconds=9))
    assert export_tests.waiting() == [], "somebody has it"
    left.update(alive_until=timezone.now() - timedelta(seconds=1))
    [found] = export_tests.waiting()
    assert export_tests.walk(found).outcome == SUCCESS
    past = timezone.now() - timedelta(seconds=1)
    left.update(phase="running", outcome="", fence=export_tests.MOST_TAKINGS, alive_until=past)
    assert export_tests.waiting() == []
    test.refresh_from_db()
    assert (test.outcome, "again and again" in test.reason) == (FAILED, True)


@pytest.mark.django_db(transaction=True)
def test_a_worker_walks_what_waits_until_it_is_told_to_stop(transactional_db):
    grant = a_grant(a_district())
    exports.set_export(grant, "pickup", PICKUP, "Helen")
    test, stop = export_tests.ask(grant, "Helen"), threading.Event()
    worker = threading.Thread(target=export_tests.keep_testing, args=(stop,))
    worker.start()
    until = time.monotonic() + 60
    while test.outcome == "" and time.monotonic() < until:
        time.sleep(0.1)
        test.refresh_from_db()
    stop.set()
    worker.join(20)
    assert test.outcome == SUCCESS
    assert not worker.is_alive()
