"""What the settings make of an environment, seen in a process of its own; and that nothing is written before it is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import json, sys
from rollbook import settings as s
print(json.dumps({name: getattr(s, name, None) for name in sys.argv[1:]}, default=str))
"""


def ask(*names: str, **variables: str) -> dict[str, object]:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("ROLLBOOK_")}
    done = subprocess.run(
        [sys.executable, "-c", ASK, *names], env=environ | variables, capture_output=True, text=True
    )
    if done.returncode:
        raise AssertionError(done.stderr.splitlines()[-1])
    return json.loads(done.stdout)


def test_the_rosters_are_in_two_sqlite_files_of_the_data_folder_by_default(tmp_path: Path):
    databases = ask("DATABASES", ROLLBOOK_DATA_DIR=str(tmp_path))["DATABASES"]
    names = {alias: one["NAME"] for alias, one in databases.items()}
    assert names == {"default": str(tmp_path / "roster.db"), "reading": str(tmp_path / "reading.db")}


def test_a_postgresql_address_gives_both_aliases_one_database():
    url = "postgresql://ann:p%40ss@db.example.org:5433/rosters?sslmode=require"
    databases = ask("DATABASES", ROLLBOOK_DATABASE_URL=url)["DATABASES"]
    for one in databases.values():
        assert (one["NAME"], one["USER"], one["PASSWORD"]) == ("rosters", "ann", "p@ss")
        assert (one["HOST"], one["PORT"], one["OPTIONS"]["sslmode"]) == ("db.example.org", "5433", "require")
    assert databases["reading"]["TEST"] == {"MIRROR": "default"}


def test_a_socket_folder_is_a_postgresql_host():
    databases = ask("DATABASES", ROLLBOOK_DATABASE_URL="postgresql://ann@/rosters?host=/run/pg")["DATABASES"]
    assert databases["default"]["HOST"] == "/run/pg"


@pytest.mark.parametrize("url", ["mysql://ann@db/rosters", "sqlite:", "postgresql://db", "nonsense"])
def test_another_database_address_is_refused_with_what_to_write(url: str):
    with pytest.raises(AssertionError, match="Write sqlite:///<path of a file> or postgresql://"):
        ask("DATABASES", ROLLBOOK_DATABASE_URL=url)


def test_a_database_password_is_never_in_a_refusal():
    with pytest.raises(AssertionError) as refused:
        ask("DATABASES", ROLLBOOK_DATABASE_URL="mysql://ann:hush-hush@db/rosters")
    assert "hush-hush" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["roster.example.org", "ftp://roster.example.org", "https://roster.example.org/path"]
)
def test_a_public_address_that_is_none_is_refused(url: str):
    with pytest.raises(AssertionError, match="ROLLBOOK_PUBLIC_URL is"):
        ask("PUBLIC_URL", ROLLBOOK_PUBLIC_URL=url)


def test_an_encrypted_public_address_makes_cookies_secure():
    asked = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "CSRF_TRUSTED_ORIGINS")
    assert ask(*asked, ROLLBOOK_PUBLIC_URL="https://roster.example.org/") == {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "CSRF_TRUSTED_ORIGINS": ["https://roster.example.org"],
    }


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://a:b@mail.example.org:587", 587, True, False),
        ("smtp://a:b@mail.example.org:465", 465, False, True),
        ("smtp://mail.example.org?tls=none", 25, False, False),
    ],
)
def test_mail_leaves_by_the_address_given(url: str, port: int, tls: bool, ssl: bool):
    asked = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    assert tuple(ask(*asked, ROLLBOOK_EMAIL_URL=url).values()) == ("mail.example.org", port, tls, ssl)


def test_reading_the_settings_writes_nothing(tmp_path: Path):
    folder = tmp_path / "data"
    ask("DATABASES", ROLLBOOK_DATA_DIR=str(folder))
    assert not folder.exists()
