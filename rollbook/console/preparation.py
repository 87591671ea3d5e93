"""Preparation as the console shows it: steps in words, the form of one step, and what a change of steps would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.imports import ImportRun, shown
from rollbook.console.previews import ShownPreview, shown_preview
from rollbook.engine.preparation.kinds import CONDITION, KINDS, Kind, Parameter
from rollbook.engine.preparation.steps import FILES, NOT_CHANGED, BadSteps, Step
from rollbook.flows.previews import stale_words
from rollbook.store.models import Preparation

WHERE = "where-"
SETS = (" = ", "=")
PAIRS_FORM = "words"

TEST_WORDS = {
    "equals": gettext_lazy("is"),
    "differs": gettext_lazy("is not"),
    "contains": gettext_lazy("contains"),
    "matches": gettext_lazy("matches the pattern"),
}
CASE_WORDS = {"exact": gettext_lazy("case counts"), "any": gettext_lazy("whatever the case")}


@dataclass(frozen=True)
class ShownStep:
    """One step in words. `details` are (what, how)."""

    number: int
    title: str
    file: str
    field: str
    details: list[tuple[str, str]]
    condition: str
    is_first: bool
    is_last: bool


@dataclass(frozen=True)
class Control:
    """One control of the form: a text, a text of several lines, or a choice of (word, meaning, chosen)."""

    name: str
    title: str
    meaning: str
    value: str
    kind: str
    choices: list[tuple[str, str, bool]]
    required: bool


@dataclass(frozen=True)
class ShownChange:
    """What a change of steps was found to do: the run that plans it, how far it is, what would hold it. `stale`: the roster has moved."""

    run: ImportRun
    preview: ShownPreview | None
    stale: str

    @property
    def is_under_way(self) -> bool:
        return not self.run.run.outcome


def shown_steps(steps: tuple[Step, ...]) -> list[ShownStep]:
    return [
        ShownStep(
            number=number,
            title=KINDS[step.kind].title,
            file=f"{step.file}.csv",
            field=step.target,
            details=_details(step),
            condition=_condition(step),
            is_first=number == 1,
            is_last=number == len(steps),
        )
        for number, step in enumerate(steps, 1)
    ]


def _details(step: Step) -> list[tuple[str, str]]:
    return [
        (one.title, _said(one, step.values[one.name]))
        for one in KINDS[step.kind].parameters
        if one.name in step.values and one.form != "field"
    ]


def _said(parameter: Parameter, value: Any) -> str:
    if parameter.choices:
        return parameter.choices[value]
    if parameter.form == PAIRS_FORM:
        return ", ".join(f"{key or _('(empty)')} → {meant or _('(empty)')}" for key, meant in value.items())
    return value or _("(empty)")


def _condition(step: Step) -> str:
    if step.where is None:
        return ""
    value = f"“{step.where.value}”" if step.where.value else _("empty")
    return f"{step.where.field} {TEST_WORDS[step.where.test]} {value}, {CASE_WORDS[step.where.case]}"


def shown_change(draft: Preparation | None) -> ShownChange | None:
    """None where nobody has asked yet what the draft would change."""
    if draft is None or draft.preview is None:
        return None
    preview = shown_preview(draft.preview)
    return ShownChange(shown(draft.preview), preview, stale_words(draft.preview) if preview else "")


def controls_of(kind: Kind, said: Mapping[str, Any]) -> list[Control]:
    """The controls of the form for a step of this kind, filled with what `said` says, a step as JSON has it."""
    return [_control(one, "", said.get(one.name)) for one in kind.parameters]


def condition_controls(said: Mapping[str, Any]) -> list[Control]:
    """The controls of the condition; none of them is required, for a step may have none."""
    where = said.get("where") or {}
    return [_control(one, WHERE, where.get(one.name), required=False) for one in CONDITION]


def _control(one: Parameter, prefix: str, value: Any, required: bool | None = None) -> Control:
    kind = "choice" if one.choices else "lines" if one.form == PAIRS_FORM else "text"
    if one.form in ("field", "source_field"):
        kind = "field"
    return Control(
        name=f"{prefix}{one.name}",
        title=one.title,
        meaning=one.meaning,
        value=_written(value),
        kind=kind,
        choices=[(word, meaning, word == value) for word, meaning in (one.choices or {}).items()],
        required=(one.required and one.form != "any_text") if required is None else required,
    )


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{key} = {meant}" for key, meant in value.items())
    return "" if value is None else str(value)


def read_form(kind: Kind, file: str, filled: Mapping[str, str]) -> dict[str, Any]:
    """What was filled in, as JSON has a step. Raises BadSteps for a line of a table that is no pair."""
    said: dict[str, Any] = {"do": kind.name, "file": file}
    for one in kind.parameters:
        text = filled.get(one.name, "")
        if one.form == PAIRS_FORM:
            said[one.name] = _pairs(text)
        elif text or (one.required and one.form == "any_text"):
            said[one.name] = text
    if kind.has_condition and filled.get(f"{WHERE}field", ""):
        said["where"] = {
            one.name: filled.get(f"{WHERE}{one.name}", "") or ("" if one.form == "any_text" else None)
            for one in CONDITION
        }
    return said


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        sign = next((one for one in SETS if one in line), None)
        if sign is None:
            raise BadSteps(_("Write one pair a line, with = between: %(line)s") % {"line": line.strip()[:60]})
        key, _sign, meant = line.partition(sign)
        if key.strip() in pairs:
            raise BadSteps(_("%(key)s stands twice in the table.") % {"key": key.strip()[:60]})
        pairs[key.strip()] = meant.strip()
    return pairs


def columns_of(file: str) -> list[str]:
    """The columns to choose from: those that can be changed, then those that can only be looked at."""
    known = [one for one in FILES[file] if one != "password"]
    return [one for one in known if one not in NOT_CHANGED] + [one for one in known if one in NOT_CHANGED]
