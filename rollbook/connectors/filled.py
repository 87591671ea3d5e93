"""Reading what a person filled in: text, whole numbers and lines, each refused by its name."""

from collections.abc import Iterable

from rollbook.connectors.contract import BadSetting, Option, Settings


def text(settings: Settings, name: str) -> str:
    """The text, without space around it; empty when it was left out."""
    return str(settings.get(name) or "").strip()


def lines(settings: Settings, name: str) -> list[str]:
    """The lines that are not empty; a list counts as its members, so that what was kept can be checked again."""
    value = settings.get(name) or ""
    given = value if isinstance(value, list) else str(value).splitlines()
    return [line.strip() for line in given if line.strip()]


def number(settings: Settings, options: Iterable[Option], name: str, least: int, most: int) -> int:
    """A whole number from `least` to `most`, or the option's default. Raises BadSetting."""
    [option] = [one for one in options if one.name == name]
    written = text(settings, name) or option.default
    if not written.isascii() or not written.isdecimal() or not least <= int(written) <= most:
        raise BadSetting(f"{option.title} is '{written}'. Write a whole number from {least:,} to {most:,}.")
    return int(written)
