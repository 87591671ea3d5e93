"""The token buckets: what one process lets through, and what several do together."""

import pytest
from django.db import OperationalError, connections

from rollbook.api import rate
from rollbook.api.rate import Buckets, prune_buckets
from rollbook.api.refusals import TooManyRequests
from rollbook.store.models import Bucket

pytestmark = pytest.mark.django_db

NOW = 1_800_000_000_000.0
SECOND = 1_000


def taken(buckets: Buckets, now: float, most: int = 1_000, name: str = "key:1") -> int:
    """How many requests come through at this moment, of so many."""
    for number in range(most):
        try:
            buckets.take(name, now)
        except TooManyRequests:
            return number
    return most


def test_a_minute_s_worth_may_be_taken_at_once_and_no_more():
    buckets = Buckets(3)
    for _ in range(3):
        buckets.take("key:1", NOW)
    with pytest.raises(TooManyRequests) as refused:
        buckets.take("key:1", NOW)
    assert refused.value.seconds == 20


@pytest.mark.parametrize("per_minute", [1, 7, 6000, 6001])
def test_whoever_waits_as_long_as_told_is_let_through(per_minute):
    buckets = Buckets(per_minute)
    assert taken(buckets, NOW, 10_000) == per_minute
    with pytest.raises(TooManyRequests) as refused:
        buckets.take("key:1", NOW)
    buckets.take("key:1", NOW + refused.value.seconds * SECOND)


def test_every_key_has_a_bucket_of_its_own():
    buckets = Buckets(1)
    buckets.take("key:1", NOW)
    buckets.take("token:1", NOW)
    with pytest.raises(TooManyRequests):
        buckets.take("key:1", NOW)


def test_a_long_rest_saves_up_no_more_than_a_minute_s_worth():
    buckets = Buckets(2)
    assert taken(buckets, NOW) == 2
    assert taken(buckets, NOW + 10_000 * SECOND) == 2


def test_nought_means_no_limit():
    buckets = Buckets(0)
    assert taken(buckets, NOW, 10_000) == 10_000
    buckets.share(NOW)


def test_processes_that_tell_one_another_let_a_minute_s_worth_through_together(db):
    first, second = Buckets(60), Buckets(60)
    assert taken(first, NOW, 40) == 40
    first.share(NOW)
    assert taken(second, NOW, 1) == 1
    second.share(NOW)
    assert taken(second, NOW) == 19
    second.share(NOW)
    first.share(NOW)
    assert taken(first, NOW) == 0


def test_what_was_let_through_too_much_is_taken_off_afterwards(db):
    processes = [Buckets(60) for _ in range(3)]
    assert [taken(one, NOW) for one in processes] == [60, 60, 60]
    through = 0
    for half in range(1, 361):
        now = NOW + half * 500
        for one in processes:
            one.share(now)
        for one in processes:
            through += taken(one, now)
    assert through <= 3 * 60 - 120 + 3, (
        "three minutes, less what was too much at first, and one each too many at the end"
    )
    assert through > 50


def test_only_the_first_request_of_a_key_asks_what_others_let_it_do(db, django_assert_num_queries):
    first, second = Buckets(60), Buckets(60)
    assert taken(first, NOW, 50) == 50
    first.share(NOW)
    with django_assert_num_queries(1, using=Bucket.objects.db):
        assert taken(second, NOW) == 10
    with django_assert_num_queries(0, using=Bucket.objects.db):
        assert taken(second, NOW + 5 * SECOND) == 5


def test_while_the_database_does_not_answer_a_process_counts_for_itself(db, monkeypatch, caplog):
    monkeypatch.setattr(rate, "BUCKETS", Buckets(3))
    rate.take(rate.KEY, 1)

    def broken(*_: object) -> None:
        raise OperationalError("gone")

    with connections[Bucket.objects.db].execute_wrapper(broken):
        rate.share()
    assert "are not shared now" in caplog.text
    assert not Bucket.objects.exists()
    rate.share()
    assert Bucket.objects.get().name == "key:1", "what could not be said is said later"


def test_buckets_that_are_full_are_forgotten(db):
    buckets = Buckets(60)
    taken(buckets, NOW, 5)
    buckets.share(NOW)
    prune_buckets(NOW + 60 * SECOND)
    assert Bucket.objects.count() == 1
    prune_buckets(NOW + 700 * SECOND)
    assert not Bucket.objects.exists()
    buckets.share(NOW + 700 * SECOND)
    assert taken(buckets, NOW + 700 * SECOND) == 60
