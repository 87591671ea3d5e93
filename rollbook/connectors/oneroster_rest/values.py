"""Single values of other servers' JSON, read as they were meant: each function gives text, a bool or a list, or None for nothing.

Nothing is guessed that the judging of a package could say better: what cannot be read stays as it came.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rollbook.oneroster.spec import GUID, Vocabulary

NOTHING: tuple[Any, ...] = (None, "", [], {})
TRUE = ("true", "t", "1", "yes", "y")
FALSE = ("false", "f", "0", "no", "n")
NO_DATES = ("0001-01-01", "9999-12-31")
"""What some servers send where there is no date."""

DELETED = ("tobedeleted", "inactive", "deleted")
IDS = ("sourcedId", "sourcedID", "sourceId", "id")
LONGEST = 1_000_000

_day = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")
_american = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?")
_grade = re.compile(r"(?:grade\s*)?(\d{1,2})", re.IGNORECASE)
_strange = re.compile(r"[^0-9A-Za-z.\-_/@]")
_of_an_item = re.compile(r"[{}:,]")


def text(value: Any) -> str | None:
    """Text without spaces around it; numbers as digits; `null` spelled out is nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
    if not isinstance(value, str):
        value = "" if value in NOTHING else json.dumps(value, ensure_ascii=False)
    found = _writable(value).strip()[:LONGEST]
    return found if found and found.casefold() != "null" else None


def _writable(given: str) -> str:
    """Without what no file can hold: NUL, and halves of characters."""
    return given.replace("\0", "").encode(errors="replace").decode()


def identifier(value: Any) -> str | None:
    """A sourcedId in the letters a package may write. Others become `@` and the hexadecimal of their UTF-8 bytes, so that different
    ids stay different (OneRoster CSV: GUID).
    """
    found = text(value)
    if found is None or GUID.fullmatch(found):
        return found
    return _strange.sub(lambda letter: "".join(f"@{byte:02X}" for byte in letter[0].encode()), found)


def reference(value: Any) -> str | None:
    """The sourcedId a reference names: an object with or without href and type, a list of one, or the bare id."""
    if isinstance(value, list):
        return reference(value[0]) if value else None
    if isinstance(value, dict):
        return next((identifier(value[name]) for name in IDS if value.get(name) not in NOTHING), None)
    return identifier(value)


def flag(value: Any) -> bool | None:
    word = (text(value) or "").casefold()
    return True if word in TRUE else False if word in FALSE else None


def word(value: Any, vocabulary: Vocabulary) -> str | None:
    """A word as the standard spells it, whatever its case, spaces and hyphens; one it does not know as it came."""
    found = text(value)
    return found and (vocabulary.spelled(found) or found)


def date(value: Any) -> str | None:
    """`YYYY-MM-DD` of a date or a moment, or of month/day/year; nothing of the dates that mean none."""
    found = text(value)
    if found is None:
        return None
    if iso := _day.fullmatch(found):
        return None if iso[1] in NO_DATES else iso[1]
    if american := _american.fullmatch(found):
        month, day, year = (int(part) for part in american.groups())
        return f"{year:04d}-{month:02d}-{day:02d}"
    return found


def moment(value: Any) -> str | None:
    """A moment in UTC to the millisecond; without a zone it is taken for UTC, without a time for midnight. None where it is none."""
    found = text(value)
    try:
        at = datetime.fromisoformat(found) if found else None
    except ValueError:
        return None
    if at is None or at.year in (1, 9999):
        return None
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def status(value: Any) -> str:
    """`active`, unless it says otherwise: servers leave it out, and have words of their own for what is gone."""
    return "tobedeleted" if (text(value) or "").replace(" ", "").casefold() in DELETED else "active"


def texts(value: Any) -> list[str]:
    """A list, a text with commas, or one value alone. Items have no commas: they would be two in a package."""
    if isinstance(value, str):
        value = value.split(",")
    found = (text(one) for one in (value if isinstance(value, list) else [value]))
    return [" ".join(one.replace(",", " ").split()) for one in found if one is not None]


def grades(value: Any) -> list[str]:
    """Grade levels as two digits where they are numbers (CEDS, which 1.1 prescribes): `9` and `Grade 9` are `09`."""
    matches = ((one, _grade.fullmatch(one)) for one in texts(value))
    return [match[1].zfill(2) if match else one for one, match in matches]


def listed(value: Any, one: Callable[[Any], str | None]) -> list[str]:
    """Each item read by `one`, those that are nothing left out; a single item counts as a list."""
    items = value if isinstance(value, list) else [value]
    return [found for item in items if item not in NOTHING and (found := one(item)) is not None]


def user_id(value: Any) -> str | None:
    """`{type:identifier}` of an object, or of text of that shape."""
    if isinstance(value, str):
        kind, _, name = (text(value) or "").strip("{}").rpartition(":")
    elif isinstance(value, dict):
        kind, name = text(value.get("type")) or "", text(value.get("identifier")) or ""
    else:
        return None
    name = name.replace("{", "").replace("}", "").replace(",", " ").strip()
    return f"{{{_of_an_item.sub('', kind).strip() or 'id'}:{name}}}" if name else None


def metadata(value: Any) -> dict[str, str]:
    """Extensions as text by name: of an object, of a list of objects, or of either as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    parts = value if isinstance(value, list) else [value]
    found: dict[str, str] = {}
    for part in parts:
        if isinstance(part, dict):
            found |= {
                " ".join(_writable(str(name)).split()): told
                for name, given in part.items()
                if (told := _extension(given)) is not None
            }
    found.pop("", None)
    return found


def _extension(given: Any) -> str | None:
    if isinstance(given, dict | list):
        return _writable(json.dumps(given, ensure_ascii=False, separators=(",", ":"))) if given else None
    return text(given)
