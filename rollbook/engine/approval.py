"""What about an edit of permissions needs a second person, by what a district asks for. It decides, and asks nobody."""

from dataclasses import dataclass

from rollbook.engine.scope import Level, Rule

FULL, DEMOGRAPHICS, PEOPLE = "full", "demographics", "people"
"""The reasons: it lets through everything, it adds demographics, it adds many people."""


@dataclass(frozen=True)
class Wanted:
    """What a district wants a second person for. `people` is the most that one edit may add without; None is any number."""

    full: bool = False
    demographics: bool = False
    people: int | None = None


def reasons(wanted: Wanted, before: Rule, after: Rule, people_added: int) -> tuple[str, ...]:
    """Why this edit needs a second person, in the order above; none where it does not. What an edit takes away never does."""
    found = []
    if wanted.full and after.level is Level.FULL and before.level is not Level.FULL:
        found.append(FULL)
    if wanted.demographics and tells_demographics(after) and not tells_demographics(before):
        found.append(DEMOGRAPHICS)
    if wanted.people is not None and people_added > wanted.people:
        found.append(PEOPLE)
    return tuple(found)


def tells_demographics(rule: Rule) -> bool:
    return rule.level is not Level.NONE and any(scope.demographics for scope in rule.scopes)
