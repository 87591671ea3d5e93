from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.generator.district import District
from rollbook.generator.generate import Difference, expected, generate
from rollbook.generator.nights import latest, share, turns
from tests.generator.letter import Row, tables

Records = dict[str, dict[str, Row]]


def night(folder: Path, number: int, students: int = 2000, version: str = "1.2") -> Records:
    generate(folder / str(number), students, seed=11, night=number, version=version)
    whole = tables(folder / str(number))
    return {name: {row["sourcedId"]: row for row in rows} for name, rows in whole.items()}


def compared(old: Records, new: Records) -> dict[str, Difference]:
    return {
        name: Difference(
            len(new[name]),
            len(new[name].keys() - old[name].keys()),
            sum(old[name][key] != row for key, row in new[name].items() if key in old[name]),
            len(old[name].keys() - new[name].keys()),
        )
        for name in new
    }


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_expected_says_what_two_packages_show(tmp_path, version):
    nights = [night(tmp_path, number, version=version) for number in range(3)]
    for number in (1, 2):
        assert expected(2000, 11, number, version=version) == compared(nights[number - 1], nights[number])
    assert expected(2000, 11, 2, since=0, version=version) == compared(nights[0], nights[2])


def test_about_one_percent_changes_a_night_and_some_come_and_go():
    differences = expected(6000, 5, 1)
    for name in ("users", "enrollments", "demographics", "classes"):
        total, added, changed, removed = differences[name]
        assert 0.004 < (added + changed + removed) / total < 0.018
        assert name == "classes" or min(added, changed, removed) > 0


def test_leavers_take_their_enrollments_and_demographics_with_them(tmp_path):
    before, after = night(tmp_path, 3), night(tmp_path, 4)
    gone = before["users"].keys() - after["users"].keys()
    assert gone
    assert not gone & {row["userSourcedId"] for row in after["enrollments"].values()}
    assert not gone & after["demographics"].keys()
    assert gone & {row["userSourcedId"] for row in before["enrollments"].values()}


def test_who_changes_school_stays_the_same_person(tmp_path):
    before, after = night(tmp_path, 0), night(tmp_path, 2)
    stayed = before["users"].keys() & after["users"].keys()
    moved = {
        user
        for user in stayed & before["demographics"].keys()
        if before["users"][user]["primaryOrgSourcedId"] != after["users"][user]["primaryOrgSourcedId"]
    }
    assert moved
    for user in moved:
        schools = {
            row["schoolSourcedId"] for row in after["enrollments"].values() if row["userSourcedId"] == user
        }
        assert schools <= {after["users"][user]["primaryOrgSourcedId"]}


def test_students_move_between_parallel_classes_of_a_course(tmp_path):
    before, after = night(tmp_path, 0), night(tmp_path, 1)
    course = {key: row["courseSourcedId"] for key, row in after["classes"].items()}

    def attended(whole: Records, keys: set[str]) -> set[tuple[str, str]]:
        rows = [whole["enrollments"][key] for key in keys]
        return {
            (row["userSourcedId"], course[row["classSourcedId"]]) for row in rows if row["role"] == "student"
        }

    gone = before["enrollments"].keys() - after["enrollments"].keys()
    come = after["enrollments"].keys() - before["enrollments"].keys()
    assert len(attended(before, gone) & attended(after, come)) > 10


def test_names_addresses_grades_and_rooms_are_what_changes(tmp_path):
    before, after = night(tmp_path, 0), night(tmp_path, 2)
    changed = {
        column
        for key in before["users"].keys() & after["users"].keys()
        for column in before["users"][key]
        if before["users"][key][column] != after["users"][key][column]
    }
    assert changed >= {
        "givenName",
        "familyName",
        "middleName",
        "email",
        "phone",
        "grades",
        "primaryOrgSourcedId",
    }
    assert changed.isdisjoint({"username", "identifier", "userIds", "metadata.homeLanguage"})
    rooms = [before["classes"][key]["location"] != row["location"] for key, row in after["classes"].items()]
    assert 0 < sum(rooms) < 0.05 * len(rooms)


def test_staff_who_leave_hand_their_classes_on(tmp_path):
    before, after = night(tmp_path, 0), night(tmp_path, 12)
    taught = {"before": set(), "after": set()}
    for name, whole in (("before", before), ("after", after)):
        taught[name] = {
            (row["classSourcedId"], row["userSourcedId"])
            for row in whole["enrollments"].values()
            if row["role"] == "teacher" and row["primary"] == "true"
        }
    handed_on = {made for made, _ in taught["after"] - taught["before"]}
    assert handed_on
    assert {made for made, _ in taught["after"]} == after["classes"].keys()


def test_the_same_night_is_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        generate(tmp_path / name, 700, seed=4, night=9)
        generate(tmp_path / f"{name}.zip", 700, seed=4, night=9)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "second")
    )
    assert first == second
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_another_seed_is_another_district(tmp_path):
    one, other = ({line for part in District(300, seed).parts() for line in part["users"]} for seed in (1, 2))
    assert not one & other


@given(st.integers(0, 10_000), st.integers(1, 3000), st.data())
def test_turns_add_up_from_none(number, period, data):
    phase = data.draw(st.integers(0, period - 1))
    assert turns(0, phase, period) == 0
    happened = sum(
        turns(k, phase, period) - turns(k - 1, phase, period) for k in range(max(1, number - 5), number + 1)
    )
    assert happened == turns(number, phase, period) - turns(
        max(0, number - 6) if number > 5 else 0, phase, period
    )
    last = latest(number, phase, period)
    assert last <= number
    assert turns(last, phase, period) == turns(number, phase, period)


@given(st.integers(0, 500), st.integers(0, 255), st.integers(1, 7))
def test_of_so_many_events_each_kind_has_its_share(turn, offset, kinds):
    shares = [share(turn, offset, kinds, kind) for kind in range(kinds)]
    assert sum(shares) == turn
    assert max(shares) - min(shares) <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 150), st.integers(0, 2**63), st.integers(0, 3000))
def test_on_any_night_ids_are_unique_and_references_hold(students, seed, number):
    records: dict[str, list[list[str]]] = {}
    for part in District(students, seed, number).parts():
        for name, lines in part.items():
            records.setdefault(name, []).extend(line.split(",") for line in lines)
    ids = {name: [row[0] for row in rows] for name, rows in records.items()}
    assert all(len(keys) == len(set(keys)) for keys in ids.values())
    users = set(ids["users"])
    assert {row[3] for row in records["roles"]} == users
    assert {row[5] for row in records["enrollments"]} <= users
    assert {row[3] for row in records["enrollments"]} <= set(ids["classes"])
