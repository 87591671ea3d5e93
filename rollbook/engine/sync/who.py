"""Who becomes a member: a verdict on every person of the source, and the reason where it is no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from rollbook.engine.sync.draft import Draft, is_gone, text
from rollbook.engine.sync.lifecycle import GOES, fate
from rollbook.engine.sync.links import KEPT, Link
from rollbook.engine.sync.operations import ACTIVE, GROUPS, MEMBERS
from rollbook.engine.sync.roles import STUDENT, TEACHER, Standing, grace_of
from rollbook.engine.sync.roster import Person, TaughtClass, holds_on
from rollbook.engine.sync.schools import HELD, WANTED, Places, place_of

IN, OUT, UNSURE = "in", "out", "unsure"

WAITS_FOR_ENROLLMENTS = frozenset({"not-teaching", "no-teacher"})
"""Reasons that lie in enrollments alone: who is a member already has the same grace as somebody who is gone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """IN, OUT (`code` says why), or UNSURE: a member stays as they are, and nobody new is made."""

    state: str
    code: str = ""


WANTED_HERE = Verdict(IN)


@dataclass
class Teaching:
    """What the enrollments that hold today say of the classes that are open: their teachers, and which have pupils.

    `away` are members whose record is not there: {sourcedId: member}.
    """

    teachers: dict[str, set[str]] = field(default_factory=dict)
    populated: set[str] = field(default_factory=set)
    classes_of: dict[str, set[str]] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)

    def add(self, taught_class: str, teacher: str) -> None:
        self.teachers.setdefault(taught_class, set()).add(teacher)
        self.classes_of.setdefault(teacher, set()).add(taught_class)


def teaching(draft: Draft, open_classes: Mapping[str, object]) -> Teaching:
    """One walk over all enrollments, and where members are away one over the memberships: they teach what they taught."""
    found, roster, today = Teaching(), draft.world.roster, draft.world.today
    found.away = away(draft)
    for one in roster.all_enrollments():
        if one.taught_class not in open_classes or not holds_on(today, one.begins, one.ends):
            continue
        if one.person not in roster.people and one.person not in found.away:
            continue
        if one.role == TEACHER:
            found.add(one.taught_class, one.person)
        elif one.role == STUDENT:
            found.populated.add(one.taught_class)
    if found.away:
        _add_those_away(draft, found, open_classes)
    return found


def away(draft: Draft) -> dict[str, str]:
    """{sourcedId: member} of those whose record is not there, or not any more, and who are not archived, nor will be by this plan."""
    links = draft.world.links.of(MEMBERS)
    return {
        one: link.target
        for one, link in links.items()
        if one not in draft.world.roster.people and _stays(draft, one, link)
    }


def _stays(draft: Draft, source_id: str, link: Link) -> bool:
    record = draft.record(MEMBERS, link.target)
    if record is None or is_gone(record):
        return False
    why = draft.gone(MEMBERS, source_id)
    spared = draft.state_by_hand(MEMBERS, link.target) == KEPT or not record.managed
    if not why or spared or draft.world.only_adds or not draft.policy.people.archive or not draft.removes:
        return True
    return fate(draft, MEMBERS, link, why, grace_of(draft, record)) != GOES


def _add_those_away(draft: Draft, found: Teaching, open_classes: Mapping[str, object]) -> None:
    links = draft.world.links.of(GROUPS)
    classes = {link.target: one for one, link in sorted(links.items()) if one in open_classes}
    people = {target: one for one, target in found.away.items()}
    teacher = draft.policy.classes.roles.get(TEACHER)
    for row in draft.world.directory.memberships():
        member, group = text(row.fields, "member"), text(row.fields, "group")
        taught = row.managed and row.state == ACTIVE and row.fields.get("role") == teacher
        if taught and member in people and group in classes:
            found.add(classes[group], people[member])


def teaches_pupils(found: Teaching, person: str) -> bool:
    return not found.populated.isdisjoint(found.classes_of.get(person, ()))


def is_open(draft: Draft, one: TaughtClass, places: Mapping[str, Places]) -> str:
    """Whether a class is of a school and a term that are synced: IN, UNSURE, or why not."""
    place = place_of(draft, one.school, places)
    if place is None or place.state == HELD:
        return UNSURE
    if place.state != WANTED:
        return "school-ignored"
    return _in_term(draft, one)


def _in_term(draft: Draft, one: TaughtClass) -> str:
    """A class without a term is always on. One whose terms are not known is not judged."""
    terms = [draft.world.roster.terms[term] for term in one.terms if term in draft.world.roster.terms]
    rule, today = draft.policy.classes.terms, draft.world.today
    if rule == "all" or not one.terms:
        return IN
    if not terms:
        return UNSURE
    if any(holds_on(today, term.begins, term.ends) for term in terms):
        return IN
    if all(term.ends and term.ends <= today for term in terms):
        return "term-over"
    if rule == "current-and-future":
        return IN
    return "term-to-come" if all(term.begins > today for term in terms) else "between-terms"


def verdict(draft: Draft, person: Person, stands: Standing, found: Teaching | None) -> Verdict:
    """On staff, and on pupils as far as it does not depend on who their teachers are."""
    if not person.enabled:
        return Verdict(OUT, "disabled")
    return _if_sure(draft, stands, _verdict(draft, person, stands, found))


def _if_sure(draft: Draft, stands: Standing, found: Verdict) -> Verdict:
    """What leaves somebody out lies in posts that are not there: to say that, they must have been read whole."""
    if found.state != OUT or found.code in WAITS_FOR_ENROLLMENTS:
        return found
    sure = draft.certified("users", "roles") and not stands.unsure
    return found if sure else Verdict(UNSURE, found.code)


def _verdict(draft: Draft, person: Person, stands: Standing, found: Teaching | None) -> Verdict:
    people = draft.policy.people
    if not stands.counts:
        return _out(stands.code)
    if stands.staff:
        return _of_staff(draft, person, stands, found)
    if people.grades and not set(people.grades) & set(person.grades):
        return Verdict(OUT, "grade-not-chosen")
    if people.students != "with-teacher" and people.who != "everyone":
        return Verdict(OUT, "not-who")
    return WANTED_HERE


@lru_cache
def _out(code: str) -> Verdict:
    """One for all who are left out for the same reason."""
    return Verdict(OUT, code)


def _of_staff(draft: Draft, person: Person, stands: Standing, found: Teaching | None) -> Verdict:
    who = draft.policy.people.who
    if who in ("everyone", "staff"):
        return WANTED_HERE
    if not stands.teacher and who == "teachers":
        return Verdict(OUT, "not-a-teacher")
    if who == "teachers" or (found and teaches_pupils(found, person.source_id)):
        return WANTED_HERE
    return Verdict(OUT if draft.certified("enrollments") else UNSURE, "not-teaching")


def pupils_with(draft: Draft, taught: set[str]) -> set[str]:
    """The pupils of these classes."""
    roster, today = draft.world.roster, draft.world.today
    return {
        one.person
        for one in roster.all_enrollments()
        if one.taught_class in taught and one.role == STUDENT and holds_on(today, one.begins, one.ends)
    }


def with_teacher(draft: Draft, person: Person, pupils: set[str], maybe: set[str]) -> Verdict:
    """On a pupil who comes with a teacher: `pupils` are those of teachers who are members, `maybe` of teachers of whom nothing is known."""
    if person.source_id in pupils:
        return WANTED_HERE
    sure = draft.certified("enrollments") and person.source_id not in maybe
    return Verdict(OUT if sure else UNSURE, "no-teacher")
