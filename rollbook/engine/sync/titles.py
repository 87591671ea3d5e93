"""A class of the source as a group has it: its title made of parts, its site, its days and the rest."""

import re
from collections.abc import Callable, Mapping

from rollbook.engine.sync.draft import Draft
from rollbook.engine.sync.operations import Value
from rollbook.engine.sync.roster import TaughtClass, Term, holds_on
from rollbook.engine.sync.schools import Places
from rollbook.engine.sync.who import Teaching

PART = re.compile(r"\{(\w+)\}")


def mapped(
    draft: Draft, places: Mapping[str, Places], taught: Teaching | None, one: TaughtClass
) -> dict[str, Value]:
    """What the source says of a class, field by field. `taught` is only needed where the title names a teacher."""
    place = places.get(one.school)
    begins, ends = days_of(draft, one)
    return {
        "title": title_of(draft, taught, one),
        "form": draft.policy.classes.form,
        "site": place.site_for(one.grades) if place else "",
        "code": one.code,
        "subject": one.subjects[0] if one.subjects else "",
        "grades": tuple(one.grades),
        "begins": begins,
        "ends": ends,
        "central": draft.policy.classes.central,
    }


def days_of(draft: Draft, one: TaughtClass) -> tuple[str, str]:
    """The first day of its terms, and the day after their last."""
    terms = _terms(draft, one)
    begins = min((term.begins for term in terms if term.begins), default="")
    return begins, max((term.ends for term in terms if term.ends), default="")


def _terms(draft: Draft, one: TaughtClass) -> list[Term]:
    terms = draft.world.roster.terms
    found = [terms[term] for term in one.terms if term in terms]
    return sorted(found, key=lambda term: (term.begins, term.ends, term.source_id))


def title_of(draft: Draft, taught: Teaching | None, one: TaughtClass) -> str:
    """The title by the template; where nothing comes of it, the class's own, its code, or its sourcedId."""
    template, own = draft.policy.classes.title, one.title or one.code or one.source_id
    if template == "{title}":
        return own
    filled = PART.sub(lambda part: _part(draft, taught, one, part[1]), template)
    return " ".join(filled.split()).strip(" -–·/,") or own


def _part(draft: Draft, taught: Teaching | None, one: TaughtClass, name: str) -> str:
    if name == "term":
        terms, today = _terms(draft, one), draft.world.today
        now = [term for term in terms if holds_on(today, term.begins, term.ends)] or terms
        return now[0].title if now else ""
    if name == "teacher":
        people = draft.world.roster.people
        teachers = sorted(taught.teachers.get(one.source_id, ())) if taught else []
        return next((people[teacher].family_name for teacher in teachers if teacher in people), "")
    return PARTS[name](one) if name in PARTS else ""


PARTS: Mapping[str, Callable[[TaughtClass], str]] = {
    "title": lambda one: one.title,
    "code": lambda one: one.code,
    "course": lambda one: one.course_title,
    "course_code": lambda one: one.course_code,
    "period": lambda one: ", ".join(one.periods),
    "location": lambda one: one.location,
}
