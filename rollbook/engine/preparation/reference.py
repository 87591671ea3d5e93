"""What preparation steps are, for people (docs/reference/preparation.md) and for programs (a JSON Schema). Both follow from `kinds`."""

import json
from typing import Any

from rollbook.engine.preparation.kinds import ALL_KINDS, CASE, CONDITION, TESTS, Kind, Parameter
from rollbook.engine.preparation.steps import FILES, LONGEST, MOST_STEPS, MOST_WORDS, NOT_CHANGED


def preparation_markdown() -> str:
    """The page docs/reference/preparation.md."""
    lines = [
        "# Preparation steps",
        "",
        "Steps change what a connection delivers after it was read and before it is judged. They are a list in JSON and are applied in its",
        "order, each to what the one before it left. `rollbook prepare set CONNECTION FILE` takes such a file; the console edits the same",
        "steps. `rollbook prepare schema` prints its JSON Schema. `script/docs` writes this page.",
        "",
        "```json",
        json.dumps({"steps": [kind.example for kind in ALL_KINDS[:1]]}, indent=2),
        "```",
        "",
        f"At most {MOST_STEPS} steps, {MOST_WORDS} pairs in a table, {LONGEST:,} characters in a text or pattern. "
        f"{', '.join(f'`{one}`' for one in NOT_CHANGED)}",
        "are never changed: by them a record is recognised, and known to be deleted. Passwords are neither changed nor looked at.",
        "Files read by a 1.1 package and a 1.2 package may have different columns: a step whose column the delivered file does not have is",
        "not applied, and the finding [`preparation-idle`](findings.md#preparation-idle) says so. Only `set` without a condition makes a",
        "column of the standard that the file lacks; columns of metadata are made by `set`, `merge` and `primary-org`.",
        "",
        "## `where`",
        "",
        "The rows a step changes; without it, every row. It looks at one field of the same row, as the steps before it left it.",
        "",
        *(_parameter(one) for one in CONDITION),
        "",
        "| test | the field |",
        "|---|---|",
        *(f"| `{word}` | {meaning} |" for word, meaning in TESTS.items()),
        "",
        "| case | |",
        "|---|---|",
        *(f"| `{word}` | {meaning} |" for word, meaning in CASE.items()),
        "",
        "Patterns are [RE2](https://github.com/google/re2/wiki/Syntax)'s: they cannot run away, and know neither back-references nor",
        "looking around.",
    ]
    for kind in ALL_KINDS:
        lines += _kind(kind)
    return "\n".join(lines) + "\n"


def _kind(kind: Kind) -> list[str]:
    lines = ["", f"## `{kind.name}`", "", f"**{kind.title}.** {kind.meaning}", ""]
    lines += [_parameter(one) for one in kind.parameters]
    lines += ["- `where`: see above." if kind.has_condition else "- No `where`."]
    return [*lines, "", "```json", json.dumps(kind.example, ensure_ascii=False), "```"]


def _parameter(one: Parameter) -> str:
    choices = "; ".join(f"`{word}`: {meaning}" for word, meaning in (one.choices or {}).items())
    needed = "" if one.required else " (not always)"
    return f"- `{one.name}`{needed}: {one.meaning}{f' One of {choices}.' if choices else ''}"


def steps_schema() -> dict[str, Any]:
    """A JSON Schema (2020-12) of a file of steps. It says the shape; which columns a file has, and what patterns are, Rollbook says."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rollbook preparation steps",
        "type": "object",
        "required": ["steps"],
        "additionalProperties": False,
        "properties": {
            "steps": {
                "type": "array",
                "maxItems": MOST_STEPS,
                "items": {"oneOf": [_kind_schema(kind) for kind in ALL_KINDS]},
            }
        },
    }


def _kind_schema(kind: Kind) -> dict[str, Any]:
    members = {"do": {"const": kind.name}, "file": {"enum": list(FILES)}}
    members |= {one.name: _parameter_schema(one) for one in kind.parameters}
    if kind.has_condition:
        members["where"] = {
            "type": "object",
            "additionalProperties": False,
            "required": [one.name for one in CONDITION],
            "properties": {one.name: _parameter_schema(one) for one in CONDITION},
        }
    needed = ["do", "file", *(one.name for one in kind.parameters if one.required)]
    return {
        "type": "object",
        "title": kind.title,
        "description": kind.meaning,
        "additionalProperties": False,
        "required": needed,
        "properties": members,
    }


def _parameter_schema(one: Parameter) -> dict[str, Any]:
    said: dict[str, Any] = {"description": one.meaning}
    if one.choices:
        return said | {"enum": list(one.choices)}
    if one.form == "words":
        text = {"type": "string", "maxLength": LONGEST}
        return said | {
            "type": "object",
            "minProperties": 1,
            "maxProperties": MOST_WORDS,
            "additionalProperties": text,
        }
    return said | {
        "type": "string",
        "maxLength": LONGEST,
        **({} if one.form == "any_text" else {"minLength": 1}),
    }
