"""The two pages of reference that follow from a sync's settings, limits and codes: docs/reference/sync-settings.md and sync-codes.md."""

from collections.abc import Iterator
from typing import Any

from rollbook.engine.sync.guarding import MEANINGS
from rollbook.engine.sync.policy import preset, presets, settings, written
from rollbook.engine.sync.remarks import CASE, CODES, OUTCOME, OWNERS, REASON, REMARK

TITLES = {
    REMARK: "Records that did not become what they say",
    CASE: "Cases: a person decides",
    OUTCOME: "What a directory answered",
    REASON: "Why an operation is in a plan",
}


def sync_codes_markdown() -> str:
    """The page docs/reference/sync-codes.md."""
    lines = [
        "# Codes of a sync",
        "",
        "What the report of a sync says of a record, why, and who can put it right; and why a plan waits. `script/docs` writes this page.",
    ]
    for sort, title in TITLES.items():
        lines += ["", f"## {title}", ""]
        for one in CODES:
            if one.sort == sort:
                lines += [f"- `{one.code}`: **{one.title}.** {one.meaning}{_remedy(one.remedy, one.owner)}"]
    lines += ["", "## Why a plan waits", ""]
    lines += [
        "A hazard holds the operations of its scope and no others. Numbers stand in [the settings](sync-settings.md).",
        "",
    ]
    lines += [f"- `{code}`: {meaning}" for code, meaning in MEANINGS.items()]
    return "\n".join(lines) + "\n"


def _remedy(remedy: str, owner: str) -> str:
    return "" if owner == "nobody" else f" *What to do:* {remedy} *Who can:* {OWNERS[owner]}"


def sync_settings_markdown() -> str:
    """The page docs/reference/sync-settings.md."""
    lines = [
        "# Settings of a sync",
        "",
        "A settings file is TOML: sections, and in them what stands here. What it does not say has the default. `script/docs` writes this page.",
    ]
    section = ""
    for one in settings():
        above, _, name = one.name.rpartition(".")
        if above.startswith("limits."):
            continue
        if above != section:
            section = above
            lines += [*(_limits() if above == "limits" else ()), "", f"## `[{section}]`", ""]
        choices = f" One of: {', '.join(f'`{choice}`' for choice in one.choices)}." if one.choices else ""
        lines.append(f"- `{name}` (default: `{_shown(one.default)}`): {one.meaning}{choices}")
    lines += [
        "",
        "## Presets",
        "",
        "Settings that come with Rollbook, and where they differ from the defaults.",
    ]
    for name in presets():
        lines += ["", f"### `{name}`: {preset(name).title}", "", preset(name).about, ""]
        lines += [f"- `{setting}` = `{_shown(value)}`" for setting, value in _own(name)]
    return "\n".join(lines) + "\n"


def _limits() -> Iterator[str]:
    """The limits of all kinds as one table: they have the same names, and other defaults."""
    found: dict[str, dict[str, str]] = {}
    for one in settings():
        above, _, name = one.name.rpartition(".")
        if above.startswith("limits."):
            found.setdefault(name, {"": one.meaning})[above.removeprefix("limits.")] = _shown(one.default)
    kinds = [one for one in next(iter(found.values())) if one]
    yield from ("", "## Limits by kind: `[limits.members]` and so on", "")
    yield "What reaches one of them waits for a person; 0 is no limit. `unowned` are members whom the source never had."
    yield from ("", f"| | {' | '.join(kinds)} | |", "|---" * (len(kinds) + 2) + "|")
    for name, values in found.items():
        yield f"| `{name}` | {' | '.join(values[one] for one in kinds)} | {values['']} |"


def _own(name: str) -> Iterator[tuple[str, Any]]:
    """(setting, value) of a preset's settings that are not the default."""
    values = written(preset(name))
    for one in settings():
        value: Any = values
        for part in one.name.split("."):
            value = value[part]
        if value != one.default and one.name not in ("title", "about"):
            yield one.name, value


def _shown(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)} = {_shown(one)}" for name, one in value.items()) + "}"
    return str(value)


def _key(name: str) -> str:
    return f'"{name}"' if "." in name else name
