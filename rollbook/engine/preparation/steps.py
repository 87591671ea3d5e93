"""Preparation steps as data: a list of them is read from JSON, and written as such.

A step names its file and its field; whether case counts is always said, never assumed. Patterns are RE2's, which cannot run away.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from rollbook.engine.findings import NEVER_SHOWN
from rollbook.engine.headers import METADATA
from rollbook.engine.package import NAMES
from rollbook.engine.preparation.kinds import CONDITION, KINDS, PRIMARY_ORG, Parameter
from rollbook.engine.reading import reader
from rollbook.oneroster.tables import BINDINGS
from rollbook.refusal import Refusal

MOST_STEPS = 100
MOST_WORDS = 500
LONGEST = 1_000
"""Characters of a text or a pattern."""

NOT_CHANGED = ("sourcedId", "status", "dateLastModified")
"""By these a record is recognised, and known to be deleted."""


class BadSteps(Refusal):
    """These preparation steps cannot be used."""

    def __init__(self, words: str, number: int = 0) -> None:
        super().__init__(words)
        self._words = words
        self.number = number

    @property
    def words(self) -> str:
        return f"Step {self.number}: {self._words}" if self.number else self._words


@dataclass(frozen=True)
class Condition:
    """The rows a step changes: those whose `field` passes the `test` with `value`; `case` is `exact` or `any`."""

    field: str
    test: str
    value: str
    case: str

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "test": self.test, "value": self.value, "case": self.case}


@dataclass(frozen=True)
class Step:
    """One step. `values` are the parameters of its kind by name."""

    kind: str
    file: str
    values: Mapping[str, Any]
    where: Condition | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it stands in JSON."""
        said = {"do": self.kind, "file": self.file, **self.values}
        return said | ({"where": self.where.as_dict()} if self.where else {})

    @property
    def target(self) -> str:
        """The field it changes, where it is one."""
        return str(self.values.get("field") or self.values.get("into") or "")

    @property
    def title(self) -> str:
        """What it does, in a few words: the kind, the file and the field."""
        place = f"{self.file}.csv, {self.target}" if self.target else f"{self.file}.csv"
        return f"{KINDS[self.kind].title} ({place})"


FILES = {
    table: tuple(dict.fromkeys(column for binding in BINDINGS.values() if table in binding
                               for column in binding.table(table).columns))
    for table in dict.fromkeys(table.name for binding in BINDINGS.values() for table in binding.tables)
}  # fmt: skip
"""{file without .csv: its columns in any version}"""


def read_steps(text: str) -> tuple[Step, ...]:
    """The steps of a JSON text `{"steps": […]}`. Raises BadSteps, which says which step and what to write."""
    try:
        said = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadSteps(
            f"This is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise BadSteps("This is not a list of steps: it is nested too deeply.") from error
    if not isinstance(said, dict) or set(said) != {"steps"}:
        raise BadSteps('Write an object with one member: {"steps": [ … ]}.')
    return steps_of(said["steps"])


def steps_of(said: object) -> tuple[Step, ...]:
    """The steps that a list of JSON objects says. Raises BadSteps."""
    if not isinstance(said, list):
        raise BadSteps("`steps` is a list.")
    if len(said) > MOST_STEPS:
        raise BadSteps(f"There are {len(said):,} steps; at most {MOST_STEPS} are taken.")
    return tuple(step_of(one, number) for number, one in enumerate(said, 1))


def step_of(said: object, number: int = 0) -> Step:
    """One step. Raises BadSteps with its number."""
    try:
        return _step(said)
    except BadSteps as bad:
        raise BadSteps(bad.words, number) from bad


def written(steps: Iterable[Step]) -> str:
    """The steps as a JSON text that `read_steps` reads."""
    return json.dumps({"steps": [step.as_dict() for step in steps]}, ensure_ascii=False, indent=2)


def _step(said: object) -> Step:
    if not isinstance(said, dict):
        raise BadSteps("a step is an object.")
    kind = KINDS.get(_word(said, "do", KINDS))
    assert kind is not None
    file = _word(said, "file", FILES)
    known = {"do", "file", *(one.name for one in kind.parameters), *(["where"] if kind.has_condition else [])}
    for name in said:
        if name not in known:
            raise BadSteps(f"`{kind.name}` has no `{name}`. It has: {', '.join(sorted(known))}.")
    values = _values(kind.parameters, said, file)
    where = _condition(said["where"], file) if said.get("where") is not None else None
    step = Step(kind.name, file, values, where)
    _judge(step)
    return step


def _word(said: Mapping[str, Any], name: str, words: Iterable[str]) -> str:
    word = said.get(name)
    if not isinstance(word, str) or word not in words:
        raise BadSteps(f"`{name}` is one of: {', '.join(words)}.")
    return word


def _values(parameters: Sequence[Parameter], said: Mapping[str, Any], file: str) -> dict[str, Any]:
    values = {}
    for one in parameters:
        if one.name in said and said[one.name] is not None:
            values[one.name] = READERS[one.form](one, said[one.name], file)
        elif one.required:
            raise BadSteps(f"`{one.name}` is missing. {one.meaning}")
    return values


def _condition(said: object, file: str) -> Condition:
    if not isinstance(said, dict) or set(said) - {one.name for one in CONDITION}:
        raise BadSteps("`where` is an object with field, test, value and case.")
    condition = Condition(**_values(CONDITION, said, file))
    if condition.test in ("contains", "matches") and not condition.value:
        raise BadSteps("`where`: every value contains nothing. Leave `where` out to change every row.")
    if condition.test == "matches":
        judge_pattern(condition.value)
    return condition


def _judge(step: Step) -> None:
    """What the parameters of a step say together."""
    values = step.values
    if step.kind == "set" and ("to" in values) == ("from" in values):
        raise BadSteps("`set` has either `to`, a text, or `from`, a column.")
    if step.kind == "replace" and values["as"] == "pattern":
        judge_pattern(values["find"], values["with"])
    if step.kind == "map" and (values["others"] == "set") != ("others_to" in values):
        raise BadSteps("`others_to` belongs to `others`: set, and to nothing else.")
    if step.kind == "map" and values["case"] == "any":
        _refuse_twins(values["words"])
    if step.kind == "merge":
        _judge_merge(step)
    if step.kind == "primary-org":
        _judge_primary_org(step)


def _refuse_twins(words: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for word in words:
        if word.lower() in seen:
            raise BadSteps(
                f"`words` has both '{seen[word.lower()]}' and '{word}', which differ in case alone."
            )
        seen[word.lower()] = word


def _judge_merge(step: Step) -> None:
    for name in step.values["columns"].values():
        _field(f"{METADATA}{name}", step.file)
    if len(set(step.values["columns"].values())) < len(step.values["columns"]):
        raise BadSteps("`columns` brings two columns in under one name.")


def _judge_primary_org(step: Step) -> None:
    if step.file != "users":
        raise BadSteps("`primary-org` is a step of the file users.")
    if step.values["into"] != PRIMARY_ORG and not step.values["into"].startswith(METADATA):
        raise BadSteps(f"`into` is {PRIMARY_ORG}, or metadata. and a name.")


def judge_pattern(pattern: str, replacement: str = "") -> None:
    """Raises BadSteps where RE2 does not take the pattern, or the replacement does not fit it."""
    with reader("64MB", 1) as database:
        try:
            database.execute("SELECT regexp_replace('', $1, $2, 'g')", [pattern, replacement])
        except duckdb.Error as error:
            words = str(error).split(":")[-1].strip() or "it cannot be read"
            raise BadSteps(f"'{pattern}' is not a pattern RE2 takes: {words}") from error


def _read_text(parameter: Parameter, said: object, file: str) -> str:
    text = _read_any_text(parameter, said, file)
    if not text:
        raise BadSteps(f"`{parameter.name}` is empty. {parameter.meaning}")
    return text


def _read_any_text(parameter: Parameter, said: object, file: str) -> str:
    return _text(parameter.name, said)


def _text(name: str, said: object) -> str:
    if not isinstance(said, str):
        raise BadSteps(f"`{name}` is a text in quotation marks.")
    if len(said) > LONGEST:
        raise BadSteps(f"`{name}` has {len(said):,} characters; at most {LONGEST:,} are taken.")
    if any(ord(letter) < 32 or ord(letter) == 127 or 0xD800 <= ord(letter) <= 0xDFFF for letter in said):
        raise BadSteps(f"`{name}` has a control character in it. Take it out.")
    return said


def _read_choice(parameter: Parameter, said: object, file: str) -> str:
    assert parameter.choices is not None
    if not isinstance(said, str) or said not in parameter.choices:
        choices = "; ".join(f"{word} ({meaning})" for word, meaning in parameter.choices.items())
        raise BadSteps(f"`{parameter.name}` is one of: {choices}.")
    return said


def _read_field(parameter: Parameter, said: object, file: str) -> str:
    field = _field(_text(parameter.name, said), file)
    if field in NOT_CHANGED:
        raise BadSteps(f"{field} is not changed by steps: by it a record is recognised.")
    return field


def _read_source_field(parameter: Parameter, said: object, file: str) -> str:
    return _field(_text(parameter.name, said), file)


def _field(name: str, file: str) -> str:
    """A column of the file. Raises BadSteps for one that it has in no version, and for a password."""
    if name in NEVER_SHOWN:
        raise BadSteps("passwords are neither changed nor looked at.")
    own = name.removeprefix(METADATA) if name.startswith(METADATA) else ""
    if name not in FILES[file] and (not own or own != own.strip()):
        raise BadSteps(
            f"{file}.csv has no column '{name}'. It has: {', '.join(FILES[file])}, and metadata.NAME."
        )
    return name


def _read_words(parameter: Parameter, said: object, file: str) -> dict[str, str]:
    if not isinstance(said, dict) or not said:
        raise BadSteps(f"`{parameter.name}` is an object with at least one pair. {parameter.meaning}")
    if len(said) > MOST_WORDS:
        raise BadSteps(f"`{parameter.name}` has {len(said):,} pairs; at most {MOST_WORDS} are taken.")
    return {_text(parameter.name, key): _text(parameter.name, value) for key, value in said.items()}


def _read_source_file(parameter: Parameter, said: object, file: str) -> str:
    name = _text(parameter.name, said)
    if not name.lower().endswith(".csv") or any(sign in name for sign in "/\\:") or name.startswith("."):
        raise BadSteps("`source` is the name of a CSV file, without folders, for example badges.csv.")
    if name.casefold() in NAMES:
        raise BadSteps(f"`source`: {name} is a file of the standard. Name the extra file.")
    return name


READERS: Mapping[str, Callable[[Parameter, object, str], Any]] = {
    "text": _read_text,
    "any_text": _read_any_text,
    "choice": _read_choice,
    "field": _read_field,
    "source_field": _read_source_field,
    "words": _read_words,
    "source_file": _read_source_file,
}
