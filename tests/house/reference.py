"""Writes the pages of docs/reference/ that follow from the code: settings and commands. `script/docs` runs it, a test compares."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from rollbook import checks
from rollbook.cli.main import app
from rollbook.connectors import SOURCES
from rollbook.connectors.contract import Connector
from rollbook.engine.catalogue import findings_markdown
from rollbook.engine.preparation.reference import preparation_markdown
from rollbook.engine.repairs import repairs_markdown
from rollbook.engine.sanity.reference import sanity_markdown
from rollbook.engine.sync.reference import sync_codes_markdown, sync_settings_markdown
from rollbook.environment import SETTINGS
from rollbook.flows.connections import ADDED
from rollbook.flows.sync.targets import ELSEWHERE
from rollbook.oneroster.reference import reference_markdown
from tests.house.rungs import ladder_markdown

FOLDER = Path(__file__).parent.parent.parent / "docs" / "reference"


def settings_page() -> str:
    """docs/reference/settings.md: every variable, then every system check."""
    lines = [
        "# Settings",
        "",
        "Rollbook takes its settings from environment variables and from nowhere else. `script/docs` writes this page from the",
        "table in `rollbook/environment.py` and the checks in `rollbook/checks.py`.",
        "",
        "A secret may also stand in a file: set the variable's name with `_FILE` at its end to the file's path.",
        "",
    ]
    for setting in SETTINGS:
        names = f"`{setting.name}`" + (f", `{setting.name}_FILE`" if setting.secret else "")
        lines += [f"## {names}", "", setting.meaning, ""]
        lines += [f"- Default: {setting.default}", f"- Example: `{setting.example}`", ""]
    lines += ["## System checks", "", "`rollbook check` runs these, and `rollbook serve` before it starts;"]
    lines += [
        "an error (E) keeps it from starting, a warning (W) does not.",
        "",
        "| id | what holds when it is silent |",
        "|---|---|",
    ]
    lines += [f"| `{code}` | {meaning} |" for code, meaning in sorted(documented_checks().items())]
    return "\n".join(lines) + "\n"


def documented_checks() -> dict[str, str]:
    """{id: what it makes sure of}, from the docstrings of the checks."""
    docstrings = " ".join(
        inspect.getdoc(check) or "" for _, check in inspect.getmembers(checks, inspect.isfunction)
    )
    return dict(re.findall(r"(rollbook\.[EW]\d{3}): (.*?\.)(?= |$)", docstrings))


def commands_page() -> str:
    """docs/reference/cli.md: every command with its arguments and options."""
    lines = ["# Commands", "", "What `rollbook --help` says, on one page; `script/docs` writes it.", ""]
    for name, command in commands("rollbook", typer.main.get_command(app)):
        lines += [f"## {name}", "", inspect.cleandoc(command.help or "").strip(), ""]
        lines += [line for parameter in command.params for line in parameter_lines(parameter)]
        if lines[-1]:
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """(full name, command) of this command and all below it, groups before their members."""
    yield name, command
    for word, member in sorted(getattr(command, "commands", {}).items()):
        yield from commands(f"{name} {word}", member)


def parameter_lines(parameter: Any) -> list[str]:
    """One list item for an argument or option; none for --help, which every command has."""
    if parameter.name == "help":
        return []
    option = parameter.param_type_name == "option"
    name = " / ".join(", ".join(group) for group in (parameter.opts, parameter.secondary_opts) if group)
    help_text = " ".join((parameter.help or "").split())
    needed = " Required." if parameter.required and option else ""
    empty = (
        parameter.default in (None, False, "", (), []) or callable(parameter.default) or parameter.required
    )
    default = "" if empty else f" Default: {parameter.default}."
    return [f"- `{name if option else name.upper()}`: {help_text}{needed}{default}".rstrip(": ")]


def connections_page() -> str:
    """docs/reference/connections.md: every kind of connection with its settings."""
    lines = [
        "# Connections",
        "",
        "The ways by which a roster comes in. A district may have several, of any kind; each has its own records, its own runs, and",
        "may put a prefix in front of the ids it serves. `rollbook connection add DISTRICT NAME --kind KIND --set NAME=VALUE` adds one,",
        "`--secret NAME=FILE` gives it a secret, which is kept encrypted and never shown; the console does the same. `script/docs`",
        "writes this page.",
        "",
    ]
    for kind in ADDED.values():
        lines += kind_lines(kind)
    lines += [
        "# Of syncs alone",
        "",
        "Sources of `rollbook sync connect` besides those above, and targets of `rollbook sync target`.",
        "",
    ]
    for kind in [one for one in SOURCES.values() if one.kind not in ADDED] + list(ELSEWHERE.values()):
        lines += kind_lines(kind)
    return "\n".join(lines).rstrip() + "\n"


def kind_lines(kind: Connector) -> list[str]:
    """One kind of connection with its settings."""
    lines = [f"## `{kind.kind}`: {kind.title}", ""]
    for option in kind.options:
        marks = [word for word, holds in (("required", option.required), ("secret", option.secret)) if holds]
        marks += [f"default: {option.default}"] if option.default else []
        marked = f" ({'; '.join(marks)})" if marks else ""
        lines.append(f"- `{option.name}`{marked}: {option.meaning}")
    lines += [] if kind.options else ["No settings."]
    return [*lines, ""]


PAGES = {
    "connections.md": connections_page,
    "settings.md": settings_page,
    "cli.md": commands_page,
    "oneroster.md": reference_markdown,
    "findings.md": findings_markdown,
    "preparation.md": preparation_markdown,
    "repairs.md": repairs_markdown,
    "sanity.md": sanity_markdown,
    "sign-in-ladder.md": ladder_markdown,
    "sync-codes.md": sync_codes_markdown,
    "sync-settings.md": sync_settings_markdown,
}

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page, write in PAGES.items():
        (FOLDER / page).write_text(write(), encoding="utf-8")
    sys.stdout.write(f"Wrote {', '.join(PAGES)} into docs/reference/.\n")
