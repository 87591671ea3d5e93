"""The settings of a sync as fields of a form, beside what the preset has; and what was filled in, read back into settings."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.connectors import SOURCES
from rollbook.console.organization.settings_words import (
    CLASS_ROLES,
    EMPTY,
    FIELDS,
    LIMITED,
    LIMITS,
    RULES,
    SETTINGS,
    SOURCE_ROLES,
    TIMES,
    YES_NO,
    Section,
)
from rollbook.engine.sync.policy import SOURCE_WINS, written
from rollbook.flows.directory import roles_of
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.settings import Change, preset_of
from rollbook.store.models import Organization, SyncConnection

NOTHING = gettext_lazy("Nothing")
TABLES = {"roles.map": SOURCE_ROLES, "classes.roles": CLASS_ROLES, "fields.rules": FIELDS}
"""Settings that are tables of words, with the rows that are asked; other rows stay as they are."""

OPTIONS = {option.name: option.title for source in SOURCES.values() for option in source.options}
"""What the settings of sources are called."""

BETWEEN = {"fields.rules": ": "}
"""What stands between a row and what it says, where that is no arrow."""

LOCAL_ROLE = frozenset({"roles.ceiling", "roles.default", "roles.default_for_new"})
MOST_TEXT = 20_000
NAMED = re.compile(r"\b[a-z]+(?:\.[a-z_]+)+\b")

Kept = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """One thing that can be chosen."""

    value: str
    words: Any
    is_chosen: bool


@dataclass(frozen=True)
class Row:
    """One row of a table of words."""

    name: str
    label: Any
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Field:
    """One setting to be filled in. `control` is ticks, choice, number, text, lines or table; `wrong` what is wrong with it."""

    name: str
    label: Any
    meaning: Any
    control: str
    now: str
    preset: str
    is_changed: bool
    value: str = ""
    choices: tuple[Choice, ...] = ()
    rows: tuple[Row, ...] = ()
    wrong: str = ""

    @property
    def id(self) -> str:
        return f"s-{self.name.replace('.', '-')}"


@dataclass
class Filled:
    """What was filled in: settings as a settings file has them, and by the setting's name what is wrong."""

    changes: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ShownChange:
    """One setting that changed or is to change, in words; a secret has no values."""

    label: str
    old: str
    new: str


# --- Showing ------------------------------------------------------------------------------------------------------------------------


def fields_of(
    section: Section,
    connection: SyncConnection,
    sent: Mapping[str, Any] | None = None,
    wrong: Kept | None = None,
) -> list[Field]:
    """The fields of a section: as they are kept or, where `sent` is a form that came back, as they were filled in."""
    organization = connection.organization
    kept, begun = written(policy_of(connection)), written(preset_of(connection))
    return [
        _field(name, kept, begun, organization, sent, (wrong or {}).get(name, "")) for name in section.names
    ]


def _field(name: str, kept: Kept, begun: Kept, organization: Organization, sent: Any, wrong: str) -> Field:
    said, now, was = SETTINGS[name], value_of(kept, name), value_of(begun, name)
    shown = _read(name, sent, now)[0] if sent is not None else now
    told = {
        "name": name,
        "label": said.label,
        "meaning": said.meaning,
        "now": value_words(name, now),
        "preset": value_words(name, was),
        "is_changed": _effective(name, now) != _effective(name, was),
        "wrong": wrong,
    }
    if name in TABLES:
        rows = tuple(
            Row(row, label, tuple(_row_choices(name, row, shown, organization)))
            for row, label in TABLES[name].items()
        )
        return Field(**told, control="table", rows=rows)
    choices = tuple(_choices(name, shown, organization))
    if isinstance(now, list) and choices:
        return Field(**told, control="ticks", choices=choices)
    if choices:
        return Field(**told, control="choice", choices=choices)
    if isinstance(now, list):
        return Field(**told, control="lines", value="\n".join(shown))
    control = "number" if isinstance(now, int) else "text"
    return Field(**told, control=control, value=str(shown))


def _choices(name: str, value: Any, organization: Organization) -> Iterator[Choice]:
    """What can be chosen; nothing for what is written."""
    chosen = value if isinstance(value, list) else [value]
    if isinstance(value, bool):
        chosen = ["yes" if value else "no"]
    for word, words in _offered(name, value, organization).items():
        yield Choice(word, words, word in chosen)


def _offered(name: str, value: Any, organization: Organization) -> Mapping[str, Any]:
    local = {role: local_role(role) for role in roles_of(organization)}
    if name in LOCAL_ROLE:
        return local if name == "roles.ceiling" else {"": EMPTY.get(name, NOTHING)} | local
    if name == "people.archive_unowned":
        return local
    if name == "fields.clear":
        return FIELDS
    if isinstance(value, bool):
        return YES_NO
    return SETTINGS[name].choices or {}


def _row_choices(name: str, row: str, value: Kept, organization: Organization) -> Iterator[Choice]:
    if name == "fields.rules":
        offered: Mapping[str, Any] = RULES
    else:
        words = (
            CLASS_ROLES
            if name == "classes.roles"
            else {one: local_role(one) for one in roles_of(organization)}
        )
        offered = {"": NOTHING} | words
    chosen = _effective(name, value).get(row, "")
    for word, said in offered.items():
        yield Choice(word, said, word == chosen)


# --- Reading ------------------------------------------------------------------------------------------------------------------------


def filled(section: Section, connection: SyncConnection, sent: Any) -> Filled:
    """The settings of this section as they were filled in, those alone that differ from what is kept."""
    kept, found = written(policy_of(connection)), Filled()
    for name in section.names:
        now = value_of(kept, name)
        value, wrong = _read(name, sent, now)
        if wrong:
            found.wrong[name] = wrong
        elif value != now:
            _put(found.changes, name, value)
    return found


def _read(name: str, sent: Any, now: Any) -> tuple[Any, str]:
    """One setting of a form that was sent, and what is wrong with it."""
    if name in TABLES:
        return _read_table(name, sent, now), ""
    if isinstance(now, bool):
        return sent.get(name) == "yes", ""
    if isinstance(now, list):
        return _read_list(name, sent), ""
    text = sent.get(name, "").strip()[:MOST_TEXT]
    if not isinstance(now, int):
        return text, ""
    if text.isascii() and text.isdecimal() and len(text) < 8:
        return int(text), ""
    return text, _("Write a whole number, 0 or more.")


def _read_table(name: str, sent: Any, now: Kept) -> dict[str, str]:
    """Only rows that were answered otherwise are other ones: what is not asked, and what is said by saying nothing, stays."""
    found, before = dict(now), _effective(name, now)
    for row in TABLES[name]:
        chosen = sent.get(f"{name}.{row}")
        if chosen is not None and chosen != before.get(row, ""):
            found[row] = chosen
    return found


def _read_list(name: str, sent: Any) -> list[str]:
    if name in ("people.archive_unowned", "fields.clear") or SETTINGS[name].choices:
        return [str(one) for one in sent.getlist(name)]
    lines = sent.get(name, "")[:MOST_TEXT].splitlines()
    return [line.strip() for line in lines if line.strip()]


def _effective(name: str, value: Any) -> Any:
    """What a table says of each of its rows, also where it says nothing."""
    if name not in TABLES:
        return value
    unsaid = SOURCE_WINS if name == "fields.rules" else ""
    return {row: value.get(row, unsaid) for row in {**TABLES[name], **value}}


def _put(changes: dict[str, Any], name: str, value: Any) -> None:
    *above, last = name.split(".")
    place = changes
    for one in above:
        place = place.setdefault(one, {})
    place[last] = value


def value_of(values: Kept, name: str) -> Any:
    """The value of a setting by its name, as people.who."""
    found: Any = values
    for one in name.split("."):
        found = found[one]
    return found


# --- Words --------------------------------------------------------------------------------------------------------------------------


def shown_changes(changes: Iterable[Change]) -> list[ShownChange]:
    """Changes of settings in words; also for the page of the run that shows them."""
    return [
        ShownChange(_label(one.name), change_words(one.name, one.old), change_words(one.name, one.new))
        for one in changes
    ]


def _label(name: str) -> str:
    if name.startswith("source."):
        option = name.removeprefix("source.")
        return _("Source: %(name)s") % {"name": OPTIONS.get(option, option)}
    return str(_("Name")) if name == "name" else setting_label(name)


def value_words(name: str, value: Any) -> str:
    """The value of a setting in words."""
    if name in TABLES:
        told = _effective(name, value)
        return ", ".join(
            f"{label}{BETWEEN.get(name, ' → ')}{_row_words(name, told[row])}"
            for row, label in TABLES[name].items()
            if told[row] != SOURCE_WINS
        ) or str(NOTHING)
    if isinstance(value, bool):
        return str(YES_NO["yes" if value else "no"])
    if isinstance(value, list | tuple):
        return ", ".join(_word(name, one) for one in value) or str(EMPTY.get(name, NOTHING))
    if value in ("", None):
        return str(EMPTY.get(name, NOTHING))
    return _word(name, value)


def change_words(name: str, value: Any) -> str:
    """The value of one setting in a list of changes, where each row of a table has a name of its own; empty where there was none."""
    if value is None:
        return ""
    table = next((one for one in TABLES if name.startswith(f"{one}.")), "")
    return _row_words(table, value) if table else value_words(name, value)


def setting_label(name: str) -> str:
    """What a setting is called that changed: also a row of a table, a limit of one kind, a time, or something of the source."""
    if table := next((one for one in TABLES if name.startswith(f"{one}.")), ""):
        row = name.removeprefix(f"{table}.")
        return f"{SETTINGS[table].label}: {TABLES[table].get(row, row)}"
    parts = name.split(".")
    if parts[0] == "limits" and len(parts) == 3 and parts[1] in LIMITED and parts[2] in LIMITS:
        return f"{LIMITED[parts[1]]}: {LIMITS[parts[2]].label}"
    if name in SETTINGS:
        return str(SETTINGS[name].label)
    return str(TIMES.get(name, name))


def in_words(text: str) -> str:
    """A sentence of the engine's with the names of settings as they stand on the pages."""
    return NAMED.sub(lambda found: f"“{setting_label(found[0])}”" if found[0] in SETTINGS else found[0], text)


def local_role(role: str) -> str:
    """A role of the organization's own: its word, with a capital."""
    return role[:1].upper() + role[1:]


def _word(name: str, value: Any) -> str:
    if name in LOCAL_ROLE or name == "people.archive_unowned":
        return local_role(str(value))
    if name == "fields.clear":
        return str(FIELDS.get(value, value))
    said = SETTINGS[name].choices if name in SETTINGS else None
    return str((said or {}).get(value, value))


def _row_words(table: str, value: str) -> str:
    if table == "fields.rules":
        return str(RULES.get(value, value))
    if table == "classes.roles":
        return str(CLASS_ROLES.get(value, value or NOTHING))
    return local_role(value) if value else str(NOTHING)
