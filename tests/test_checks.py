"""System checks say what is wrong and what to write instead."""

from pathlib import Path

import pytest
from django.db import connection

from rollbook import checks


def found(messages) -> list[str]:
    return [message.id for message in messages]


def test_a_sound_installation_is_silent(settings, tmp_path: Path):
    settings.DATA_DIR = tmp_path / "not" / "yet" / "there"
    every = (checks.data_folder, checks.secret_key, checks.field_keys, checks.debug_pages)
    assert not [message for check in every for message in check()]


def test_a_data_folder_that_is_a_file_is_found(settings, tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    settings.DATA_DIR = file
    assert found(checks.data_folder()) == ["rollbook.E001"]


def test_a_short_secret_key_is_found(settings):
    settings.SECRET_KEY = "short"
    assert found(checks.secret_key()) == ["rollbook.E002"]


def test_a_place_for_folders_is_a_folder_by_its_absolute_path(settings, tmp_path: Path):
    assert checks.source_folders() == []
    for place, ids in ((tmp_path, []), (tmp_path / "no", ["rollbook.E007"]), (Path(), ["rollbook.E007"])):
        settings.SOURCE_FOLDERS = place
        assert found(checks.source_folders()) == ids


def test_each_field_key_that_is_none_is_found_without_showing_it(settings):
    settings.FIELD_KEYS = [*settings.FIELD_KEYS, "not-a-key"]
    messages = checks.field_keys()
    assert found(messages) == ["rollbook.E003"]
    assert "Key 2" in messages[0].msg
    assert "not-a-key" not in str(messages[0])


@pytest.mark.parametrize(
    ("url", "hosts", "ids"),
    [
        ("https://roster.example.org", ["roster.example.org"], []),
        ("https://roster.example.org", [".example.org"], []),
        ("https://roster.example.org", ["other.example.org"], ["rollbook.E004"]),
        ("http://roster.example.org", ["*"], ["rollbook.W001"]),
        ("http://127.0.0.1:8000", ["127.0.0.1"], []),
        ("http://[::1]:8000", ["[::1]"], []),
    ],
)
def test_the_public_address_must_be_allowed_and_should_be_encrypted(
    settings, url: str, hosts: list[str], ids: list[str]
):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = url, hosts
    assert found(checks.public_address()) == ids


def test_debug_pages_where_others_can_see_them_are_found(settings):
    settings.DEBUG, settings.PUBLIC_URL = True, "https://roster.example.org"
    assert found(checks.debug_pages()) == ["rollbook.W002"]


def test_this_run_s_database_is_new_enough(db):
    assert not checks.database_version(databases=["default", "reading"])


def test_this_run_s_database_lets_workers_keep_their_tables(db):
    assert not checks.job_tables(databases=["default", "reading"])


def test_a_database_in_which_no_schema_can_be_made_is_named(db):
    if connection.vendor != "postgresql":
        assert checks.job_tables(databases=["default"]) == []
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE rollbook_reads_only; SET LOCAL ROLE rollbook_reads_only")
        [found] = checks.job_tables(databases=["default"])
        cursor.execute("RESET ROLE; DROP ROLE rollbook_reads_only")
    assert found.id == "rollbook.E006"
    assert "CREATE SCHEMA rollbook_jobs" in str(found.hint)
