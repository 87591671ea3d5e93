"""Settings as they are written on a command line: a settings file, and over it single ones as SECTION.NAME=VALUE."""

import tomllib
from pathlib import Path
from typing import Any

import typer


def changes(file: Path | None, given: list[str] | None) -> dict[str, Any]:
    """Settings as a settings file has them: those of the file, and over them the single ones."""
    try:
        found: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
        for text in given or []:
            path, _, value = text.partition("=")
            *sections, name = path.split(".")
            if not sections:
                raise typer.BadParameter(f"{text}: write SECTION.NAME=VALUE.")
            place = found
            for section in sections:
                place = place.setdefault(section, {})
            place[name] = _value(value)
    except (OSError, tomllib.TOMLDecodeError) as fault:
        raise typer.BadParameter(f"{file}: {fault}") from fault
    return found


def _value(text: str) -> Any:
    """As TOML has it; a word need not stand in quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
