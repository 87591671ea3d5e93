"""The limits at their boundaries: one below is let pass, the number itself is held."""

from dataclasses import replace

import pytest

from rollbook.engine.safeguards import DEFAULTS, MEANINGS, SENTENCES, Hazard, Limits, Stakes, hazards, reached
from rollbook.oneroster.collections import LOAD_ORDER

NONE = Limits(
    create_percent=None, update_percent=None, delete_percent=None, weekly_percent=None, identifying_percent=None,
    rekey_percent=None, floor=0, to_zero=False, last_administrator=False,
)  # fmt: skip


def found(
    limits: Limits, total: int, counts: dict[str, int], week: list[dict[str, int]] | None = None, **more
):
    stakes = Stakes({"users": counts}, {"users": total}, **more)
    week_counts = [{"users": one} for one in week or []]
    everywhere = dict.fromkeys(LOAD_ORDER, limits)
    return [hazard.code for hazard in hazards(stakes, week_counts, everywhere)]


@pytest.mark.parametrize(
    ("count", "population", "percent", "floor", "is_reached"),
    [
        (9, 100, 10, 20, False),
        (10, 100, 10, 20, True),
        (1, 19, 1, 20, False),
        (2, 20, 10, 20, True),
        (1, 3, 33, 0, True),
        (1, 3, 34, 0, False),
        (0, 100, 1, 0, False),
        (100, 100, 100, 0, True),
        (5, 5, None, 0, False),
    ],
)
def test_a_share_is_reached_at_the_number_itself(count, population, percent, floor, is_reached):
    assert reached(count, population, percent, floor) is is_reached


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_percent_and_number_hold_each_action_at_the_boundary(action):
    by_percent = replace(NONE, **{f"{action}_percent": 10})
    by_number = replace(NONE, **{f"{action}_number": 10})
    assert found(by_percent, 100, {action: 9}) == []
    assert found(by_percent, 100, {action: 10}) == [f"{action}-percent"]
    assert found(by_number, 100_000, {action: 9}) == []
    assert found(by_number, 100_000, {action: 10}) == [f"{action}-number"]


def test_records_brought_back_count_as_added():
    assert found(replace(NONE, create_number=10), 100, {"create": 5, "restore": 5}) == ["create-number"]


def test_a_collection_below_the_floor_has_no_percentage():
    limits = replace(NONE, delete_percent=10, floor=20)
    assert found(limits, 19, {"delete": 18}) == []
    assert found(limits, 20, {"delete": 2}) == ["delete-percent"]


def test_a_number_counts_below_the_floor_too():
    assert found(replace(NONE, delete_number=3, floor=20), 5, {"delete": 3}) == ["delete-number"]


def test_a_first_load_is_exempt():
    assert found(replace(NONE, create_percent=10, create_number=1), 0, {"create": 1_000_000}) == []


def test_a_collection_gone_to_zero_is_held_whatever_the_floor():
    limits = replace(NONE, to_zero=True, floor=1000)
    assert found(limits, 1, {"delete": 1}) == ["to-zero"]
    assert found(limits, 2, {"delete": 1}) == []
    assert found(limits, 1, {"delete": 1, "create": 1}) == []


def test_a_week_of_small_removals_adds_up():
    limits = replace(NONE, weekly_percent=10)
    # 1,000 seven days ago; 40 and 30 went; now 930 are stored.
    week = [{"delete": 40}, {"delete": 30}]
    assert found(limits, 930, {"delete": 29}, week) == []
    assert found(limits, 930, {"delete": 30}, week) == ["weekly-percent"]
    assert found(limits, 930, {"delete": 93}, []) == []


def test_a_week_with_the_first_load_counts_from_that():
    limits = replace(NONE, weekly_percent=10)
    week = [{"create": 1000}, {"delete": 70}]
    assert found(limits, 930, {"delete": 29}, week) == []
    assert found(limits, 930, {"delete": 30}, week) == ["weekly-percent"]


def test_identifying_values_that_change_are_held_by_field():
    limits = replace(NONE, identifying_percent=30, floor=20)
    assert found(limits, 100, {}, values={"email": 100}, changed={"email": 29}) == []
    assert found(limits, 100, {}, values={"email": 100}, changed={"email": 30}) == ["identifying"]
    assert found(limits, 100, {}, values={"email": 19}, changed={"email": 19}) == []


def test_the_last_administrator_is_missed():
    limits = replace(NONE, last_administrator=True)
    assert found(limits, 100, {}, administrators=3, administrators_left=0) == ["last-administrator"]
    assert found(limits, 100, {}, administrators=3, administrators_left=1) == []
    assert found(limits, 100, {}, administrators=0, administrators_left=0) == []


def test_ten_pairs_are_a_rekeying_and_nine_are_not():
    limits = replace(NONE, rekey_percent=1)
    assert found(limits, 1000, {}, pairs={"users": 9}) == []
    assert found(limits, 1000, {}, pairs={"users": 10}) == ["rekey"]
    assert found(limits, 1001, {}, pairs={"users": 10}) == []


def test_a_rekeyed_district_is_one_hazard():
    stakes = Stakes({}, {"users": 50, "orgs": 50}, pairs={"users": 50, "orgs": 12})
    codes = [(hazard.code, hazard.collection) for hazard in hazards(stakes, [], {})]
    assert codes == [("rekey", "users")]


def test_the_defaults_are_on():
    assert found(DEFAULTS, 1000, {"delete": 100}) == ["delete-percent"]
    assert found(DEFAULTS, 1000, {"delete": 99}) == []


@pytest.mark.parametrize("code", SENTENCES)
def test_every_hazard_has_words_and_a_meaning(code):
    words = Hazard(code, "users", 1200, 5000, 10, "email").words
    assert words.endswith(".")
    assert "{" not in words
    assert MEANINGS[code]


def test_a_hazard_speaks_of_records_as_the_pages_do():
    removed = Hazard("delete-percent", "users", 1200, 2000, 10)
    assert removed.words == "1,200 of 2,000 people would be removed: the limit is 10 %."
    changed = Hazard("identifying", "users", 31, 100, 30, "email")
    assert changed.words == "The e-mail address of 31 of 100 people would change: the limit is 30 %."
