"""Asking a server for less than everything: mapped members, what changed since a moment, what belongs to some people and classes."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import cast
from tests.connectors.provider import Provider, serving


@pytest.fixture(params=["1.1", "1.2"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with serving(Provider(version=request.param)) as found:
        yield found


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    """Nothing where a table is not in the package: without records there is none."""
    path = folder / f"{table}.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def filled(folder: Path, table: str) -> set[str]:
    return {name for row in rows(folder, table) for name, value in row.items() if value}


def asked(provider: Provider) -> str:
    return " ".join(target for target, _ in provider.seen)


@pytest.mark.parametrize("refuses", [False, True])
def test_only_mapped_members_are_asked_for_and_kept(
    provider: Provider, tmp_path: Path, refuses: bool
) -> None:
    provider.refuses_to_choose = refuses
    fetched = provider.pulled(tmp_path, only=True)
    assert fetched.certificate
    assert fetched.certificate["complete"] is True
    assert "fields=sourcedId" in asked(provider)
    kept = filled(fetched.path, "users")
    assert {"username", "givenName", "email", "grades"} <= kept
    assert not {"sms", "phone", "agentSourcedIds", "middleName"} & kept
    assert any("refuses" in one for one in fetched.certificate["quirks"]) is refuses


def test_since_a_moment_only_changes_come_and_say_that_they_are_no_more(
    provider: Provider, tmp_path: Path
) -> None:
    [amara] = [one for one in provider.records["users"] if one["sourcedId"] == cast.AMARA]
    amara["dateLastModified"] = "2030-01-01T00:00:00.000Z"
    fetched = provider.pulled(tmp_path, since="2029-12-31T00:00:00.000Z")
    assert [row["sourcedId"] for row in rows(fetched.path, "users")] == [cast.AMARA]
    modes = {row["propertyName"]: row["value"] for row in rows(fetched.path, "manifest")}
    assert modes["file.users"] == "delta"
    assert "bulk" not in modes.values()


def test_a_night_in_which_nothing_changed_is_no_failure(provider: Provider, tmp_path: Path) -> None:
    fetched = provider.pulled(tmp_path, since="2035-01-01T00:00:00.000Z")
    assert fetched.certificate
    assert fetched.certificate["complete"] is True
    assert rows(fetched.path, "users") == []


def about(provider: Provider, tmp_path: Path, **focus: Any) -> tuple[set[str], set[str], set[str]]:
    fetched = provider.pulled(tmp_path, focus=focus)
    tables = ("users", "classes", "enrollments")
    users, classes, enrollments = ({row["sourcedId"] for row in rows(fetched.path, one)} for one in tables)
    assert len(provider.asked) == 0
    return users, classes, enrollments


def test_a_pupil_comes_with_their_classes_and_who_is_in_these(provider: Provider, tmp_path: Path) -> None:
    users, classes, enrollments = about(provider, tmp_path, people=[cast.AMARA])
    own = [one for one in provider.records["enrollments"] if one["user"]["sourcedId"] == cast.AMARA]
    assert classes == {one["class"]["sourcedId"] for one in own}
    assert cast.AMARA in users
    assert {one["sourcedId"] for one in own} <= enrollments


def test_nobody_of_this_id_is_no_failure(provider: Provider, tmp_path: Path) -> None:
    assert about(provider, tmp_path, people=["nobody"]) == (set(), set(), set())
