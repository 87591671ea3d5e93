"""What a command's options say of settings, before the command has begun."""

from pathlib import Path

import pytest

from rollbook.early import settings_of


@pytest.mark.parametrize(
    "options", [["--port", "8123", "--data", "here"], ["--data=here", "--card", "c.json", "--port=8123"]]
)
def test_the_demo_has_a_folder_and_an_address_of_its_own(options: list[str]):
    said = settings_of(["demo", *options], {"ROLLBOOK_DATABASE_URL": "postgresql://elsewhere"})
    assert said == {
        "ROLLBOOK_DATA_DIR": str(Path("here").absolute()),
        "ROLLBOOK_DATABASE_URL": "",
        "ROLLBOOK_SOURCE_FOLDERS": str(Path("here/folders").absolute()),
        "ROLLBOOK_PUBLIC_URL": "http://127.0.0.1:8123",
    }


def test_a_server_is_found_where_it_listens_unless_said_otherwise():
    asked = ["serve", "--host", "0.0.0.0", "--port", "80"]
    assert settings_of(asked, {}) == {"ROLLBOOK_PUBLIC_URL": "http://0.0.0.0:80"}
    public = {"ROLLBOOK_PUBLIC_URL": "https://roster.example"}
    assert settings_of(asked, public) == public


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["district", "list"], ["demo", "--port"], ["serve", "--port", "http"]]
)
def test_what_says_nothing_of_settings_or_makes_no_sense_is_left_to_the_verb(arguments: list[str]):
    assert settings_of(arguments, {}) == {}
