"""The token bucket."""

import pytest

from rollbook.api.rate import Buckets
from rollbook.api.refusals import TooManyRequests


def test_a_minute_s_worth_may_be_taken_at_once_and_no_more():
    buckets = Buckets(3)
    for _ in range(3):
        buckets.take(1, 100.0)
    with pytest.raises(TooManyRequests) as refused:
        buckets.take(1, 100.0)
    assert refused.value.seconds == 20


def test_whoever_waits_as_long_as_told_is_let_through():
    buckets = Buckets(7)
    for _ in range(7):
        buckets.take(1, 0.0)
    with pytest.raises(TooManyRequests) as refused:
        buckets.take(1, 1.0)
    buckets.take(1, 1.0 + refused.value.seconds)


def test_every_credential_has_a_bucket_of_its_own():
    buckets = Buckets(1)
    buckets.take(1, 0.0)
    buckets.take(2, 0.0)
    with pytest.raises(TooManyRequests):
        buckets.take(1, 0.0)


def test_a_long_rest_saves_up_no_more_than_a_minute_s_worth():
    buckets = Buckets(2)
    buckets.take(1, 0.0)
    for _ in range(2):
        buckets.take(1, 10_000.0)
    with pytest.raises(TooManyRequests):
        buckets.take(1, 10_000.0)


def test_nought_means_no_limit():
    buckets = Buckets(0)
    for _ in range(10_000):
        buckets.take(1, 0.0)
