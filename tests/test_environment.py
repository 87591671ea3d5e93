"""Settings come from the environment, or fail by name."""

import stat
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from rollbook.environment import envbool, envint, envsecret, envtext, kept_secret


def test_an_unset_variable_has_the_default_of_the_table():
    assert envtext("ROLLBOOK_LOG_LEVEL", environ={}) == "INFO"
    assert envint("ROLLBOOK_TOMBSTONE_DAYS", environ={}) == 400
    assert envbool("ROLLBOOK_DEBUG", environ={}) is False


def test_an_empty_variable_counts_as_unset():
    assert envint("ROLLBOOK_RATE_LIMIT", environ={"ROLLBOOK_RATE_LIMIT": " "}) == 6000


@pytest.mark.parametrize(
    ("word", "meaning"), [("yes", True), ("TRUE", True), ("1", True), ("off", False), ("0", False)]
)
def test_yes_and_no_are_understood_in_their_usual_spellings(word: str, meaning: bool):
    assert envbool("ROLLBOOK_DEBUG", environ={"ROLLBOOK_DEBUG": word}) is meaning


def test_a_word_that_is_neither_yes_nor_no_is_refused_by_name():
    with pytest.raises(ImproperlyConfigured, match="ROLLBOOK_DEBUG is 'maybe'.*Write yes or no"):
        envbool("ROLLBOOK_DEBUG", environ={"ROLLBOOK_DEBUG": "maybe"})


@pytest.mark.parametrize("text", ["many", "-1", "1.5", "0"])
def test_a_number_that_is_none_or_too_small_is_refused_by_name(text: str):
    with pytest.raises(ImproperlyConfigured, match="ROLLBOOK_TOMBSTONE_DAYS.*whole number, 1 or more"):
        envint("ROLLBOOK_TOMBSTONE_DAYS", least=1, environ={"ROLLBOOK_TOMBSTONE_DAYS": text})


def test_a_secret_may_come_from_a_file(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text("from the file\n")
    assert (
        envsecret("ROLLBOOK_SECRET_KEY", environ={"ROLLBOOK_SECRET_KEY_FILE": str(file)}) == "from the file"
    )


def test_a_secret_in_two_places_is_refused_without_showing_it(tmp_path: Path):
    environ = {"ROLLBOOK_SECRET_KEY": "do-not-show", "ROLLBOOK_SECRET_KEY_FILE": str(tmp_path)}
    with pytest.raises(ImproperlyConfigured, match="Keep one of them") as refused:
        envsecret("ROLLBOOK_SECRET_KEY", environ=environ)
    assert "do-not-show" not in str(refused.value)


def test_a_secret_file_that_is_missing_is_refused_by_name(tmp_path: Path):
    environ = {"ROLLBOOK_SECRET_KEY_FILE": str(tmp_path / "missing")}
    with pytest.raises(ImproperlyConfigured, match="ROLLBOOK_SECRET_KEY_FILE names"):
        envsecret("ROLLBOOK_SECRET_KEY", environ=environ)


def test_a_kept_secret_is_made_once_for_its_owner_alone(tmp_path: Path):
    file = tmp_path / "new" / "secret.key"
    first = kept_secret(file, lambda: "made")
    assert (first, kept_secret(file, lambda: "made again")) == ("made", "made")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_those_who_race_for_a_kept_secret_agree_on_one(tmp_path: Path):
    file, barrier, seen = tmp_path / "secret.key", threading.Barrier(8), set[str]()

    def reach_for_it(number: int) -> None:
        barrier.wait()
        seen.add(kept_secret(file, lambda: f"made by {number}"))

    threads = [threading.Thread(target=reach_for_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1
