"""Tries are counted in the database: two servers count together, and what is over counts no longer."""

import pytest
import time_machine
from django.core.cache import caches

from rollbook.store.models import Throttle
from rollbook.store.throttles import Throttles, prune_throttles

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere() -> Throttles:
    """The same, in another process."""
    return Throttles("", {})


def test_what_one_process_counts_the_others_know(elsewhere):
    here = caches["default"]
    here.set("tries", [3.5, 1.25], 60)
    assert elsewhere.get("tries") == [3.5, 1.25]
    assert here.add("count", 0, 60)
    assert not elsewhere.add("count", 5, 60)
    assert (here.incr("count"), elsewhere.incr("count", 2)) == (1, 3)
    assert elsewhere.delete("count")
    with pytest.raises(ValueError, match="count"):
        here.incr("count")


def test_what_is_over_counts_no_longer_and_goes(elsewhere):
    with time_machine.travel("2026-11-02T08:00:00Z", tick=False) as clock:
        assert elsewhere.add("lock", True, 10)
        elsewhere.set("kept", "a", None)
        clock.shift(9)
        assert elsewhere.touch("lock", 10)
        clock.shift(10)
        assert elsewhere.get("lock", "nothing") == "nothing"
        assert not elsewhere.touch("lock", 10)
        with pytest.raises(ValueError, match="lock"):
            elsewhere.incr("lock")
        prune_throttles()
        assert [one.value for one in Throttle.objects.all()] == ['"a"']
        assert elsewhere.add("lock", True, 10)
        elsewhere.clear()
        assert not Throttle.objects.exists()
