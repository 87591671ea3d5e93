"""What holds for every verb: who acts is said once, what is listed or made is told to programs too, nothing yet is told with what to do."""

import json
from pathlib import Path

import pytest
import typer

from rollbook.cli.main import app
from rollbook.flows.districts import add_district
from rollbook.store.models import SeverityChange
from tests.cli.typed import typed
from tests.house.reference import commands

pytestmark = pytest.mark.django_db

ONLY_DONE = {
    *(
        "remove",
        "clear",
        "revoke",
        "disable",
        "enable",
        "deactivate",
        "reactivate",
        "let-go",
        "rename",
        "logo",
    ),
    *(
        "ask",
        "copy",
        "restore",
        "reject",
        "withdraw",
        "opt-in",
        "expire",
        "allow",
        "end-former",
        "drop",
        "bearer",
    ),
    *("cancel", "send", "edit", "migrate", "serve", "sftpd", "worker", "check", "demo", "new-field-key"),
}
"""Words of verbs that may have nothing to tell but that it is done, or run until they are ended."""

OTHERWISE = {"rollbook audit export", "rollbook snapshot download", "rollbook prepare schema"}
"""Verbs whose answer is a file, or JSON anyway."""


def test_every_verb_that_has_something_to_tell_tells_it_to_programs():
    without = [
        name
        for name, command in commands("rollbook", typer.main.get_command(app))
        if not getattr(command, "commands", None)
        and name.split()[-1] not in ONLY_DONE
        and name not in OTHERWISE
        and not any("--json" in parameter.opts for parameter in command.params)
    ]
    assert not without


def test_who_acts_is_said_before_the_verb_and_nowhere_else():
    asking = {
        name
        for name, command in commands("rollbook", typer.main.get_command(app))
        for parameter in command.params
        if "--by" in parameter.opts
    }
    assert asking == {"rollbook compare", "rollbook email write"}, (
        "where it is a column, and an address for answers"
    )


def test_what_is_done_is_kept_with_the_name_that_was_said():
    district = add_district("Riverbend", "America/Chicago")
    words = ("severity", "set", str(district.pk), "dates-reversed", "error", "--why", "Timetable.")
    typed("--as", "Helen Brandt", *words)
    assert SeverityChange.objects.get().by == "Helen Brandt (command line)"


@pytest.mark.parametrize(
    "verb",
    [
        ("app", "list"),
        ("catalogue", "list"),
        ("district", "list"),
        ("grant", "list"),
        ("hold", "list"),
        ("key", "list"),
        ("mail", "list"),
        ("operator", "list"),
        ("partner", "list"),
        ("run", "list"),
    ],
    ids=" ".join,
)
def test_an_empty_list_says_what_makes_the_first(verb: tuple[str, str]):
    assert typed(*verb).stdout.startswith("None yet: ")
    assert json.loads(typed(*verb, "--json").stdout) == []


@pytest.mark.parametrize(
    "verb",
    [
        ("additions-only", "list"),
        ("blackout", "list"),
        ("delivery", "list"),
        ("domains", "list"),
        ("grant", "opt-outs"),
        ("grant", "requests"),
        ("manual", "list"),
        ("operator", "token", "list"),
        ("severity", "list"),
    ],
    ids=" ".join,
)
def test_an_empty_list_of_a_district_says_what_makes_the_first(verb: tuple[str, ...]):
    number = str(add_district("Riverbend", "America/Chicago").pk)
    assert typed(*verb, number).stdout.startswith("None yet: ")
    assert json.loads(typed(*verb, number, "--json").stdout) == []


def test_the_kinds_of_connections_and_ways_of_delivery_are_told_to_programs():
    kinds = {row["kind"]: row for row in json.loads(typed("connection", "kinds", "--json").stdout)}
    assert {"upload", "sftp_drop", "sftp_pull", "oneroster_rest"} <= set(kinds)
    assert any(option["secret"] for option in kinds["sftp_pull"]["settings"])
    assert {row["way"] for row in json.loads(typed("delivery", "options", "--json").stdout)} == {
        "always",
        "push",
        "pickup",
    }


def test_a_secret_that_is_no_text_is_refused_in_words(tmp_path: Path):
    number, file = str(add_district("Riverbend", "America/Chicago").pk), tmp_path / "secret.bin"
    file.write_bytes(b"\xff\xfe\x00")
    said = typed(
        "connection",
        "add",
        number,
        "Our SIS",
        "--kind",
        "sftp_pull",
        "--secret",
        f"password={file}",
        expect=2,
    )
    assert "no text in UTF-8" in said.stderr
