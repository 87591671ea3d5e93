"""Runs that wait for a worker: turns, cancelling, what a second taking finds."""

from pathlib import Path

import pytest

from rollbook.flows import jobs
from rollbook.flows.jobs import steps
from rollbook.flows.jobs.cancel import HasEnded, TooLate
from rollbook.flows.jobs.turns import ahead_of, give_turns, take_turn
from rollbook.flows.progress import TakenOver, close_to_cancelling
from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.store.models import Connection, District, Publication, Run, User
from tests.delivered import a_district

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def district() -> District:
    return a_district()


def enqueue(district: District, package: Path = RIVERBEND) -> Run:
    return jobs.enqueue_delivery(Connection.objects.get(district=district), package, "a test")


def test_a_delivery_waits_until_somebody_works_it_off(district):
    run = enqueue(district)
    assert (run.phase, run.outcome) == ("waiting", "")
    assert jobs.work_off() == 1
    run.refresh_from_db()
    assert (run.phase, run.outcome) == ("done", "success")
    assert User.objects.filter(district_id=district.pk).exists()
