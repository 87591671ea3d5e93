"""Sentences of the storeys below in the reader's language: fixed ones, and those that were put together with figures and names in them.

The patterns of the latter stand in `figured.json`, which `script/messages` writes. What fits none of them stays as it was written.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

KNOWN = json.loads(Path(__file__).with_name("figured.json").read_text(encoding="utf-8"))
PATTERNS, WORDS = tuple(KNOWN["patterns"]), frozenset(KNOWN["words"])
PLACE = re.compile(r"\{(\w+)\}")
BETWEEN_SENTENCES = re.compile(r"(?<=[.?!]) (?=\S)")
GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")


def said(sentence: object) -> str:
    """The sentence, or several behind one another, each by itself."""
    text = str(sentence or "")
    if not text or (get_language() or "en").startswith("en"):
        return text
    fixed = gettext(text)
    return fixed if fixed != text else _figured(text) or " ".join(_each(BETWEEN_SENTENCES.split(text)))


def _each(parts: list[str]) -> Iterator[str]:
    """The longest beginning that is known, and on from there."""
    while parts:
        for length in range(len(parts), 0, -1):
            text = " ".join(parts[:length])
            known = gettext(text)
            known = known if known != text else _figured(text)
            if known or length == 1:
                yield known or text
                parts = parts[length:]
                break


def _figured(text: str) -> str:
    """By the pattern that it fits and that says the most of it by itself; empty where it fits none."""
    for pattern, places in _patterns():
        found = places.fullmatch(text)
        # Where a place would take in a sentence behind it, the text is several sentences.
        if found and not any(map(BETWEEN_SENTENCES.search, found.groups())):
            return _filled(
                gettext(pattern), {name: _value(value) for name, value in found.groupdict().items()}
            )
    return ""


def _filled(pattern: str, values: dict[str, str]) -> str:
    return PLACE.sub(lambda place: values[f"p{place[1]}"], pattern)


def _value(value: str) -> str:
    """What stands in a place: a figure as the reader writes it, a word of ours, a sentence within the sentence, or a name as it is."""
    if GROUPED.fullmatch(value):
        return number_format(int(value.replace(",", "")), force_grouping=True)
    if value.strip() in WORDS:
        return value.replace(value.strip(), gettext(value.strip()))
    return said(value) if value.endswith((".", "?")) and " " in value else value


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    plain = {pattern: PLACE.split(pattern)[::2] for pattern in PATTERNS}
    longest = sorted(PATTERNS, key=lambda one: -len("".join(plain[one])))
    return tuple((one, re.compile(_regex(one), re.DOTALL)) for one in longest)


def _regex(pattern: str) -> str:
    parts = PLACE.split(pattern)
    return "".join(f"(?P<p{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
