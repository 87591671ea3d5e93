"""Explain: why a person or a class is, or is not, in an app; of one app or of all of a district. Where it must be changed, and by whom."""

import time
from dataclasses import dataclass

from django.db.models import Q

from rollbook.engine.explaining import (
    Explanation,
    Setting,
    explain_absence,
    explain_class,
    explain_person,
)
from rollbook.flows.publish import local_date
from rollbook.flows.roles import MAY, Act
from rollbook.oneroster.folding import fold
from rollbook.refusal import Refusal
from rollbook.store.evidence import person_of, sharing_of, taught_of
from rollbook.store.found import found_by
from rollbook.store.models import Class, Connection, District, Grant, Record, Run, User

COLLECTIONS = ("users", "classes")
MOST = 20
"""Records that one text may mean; of more, nobody finds the right one."""

MODELS: dict[str, type[Record]] = {"users": User, "classes": Class}
ONE = {"users": "person", "classes": "class"}


class NotExplained(Refusal):
    """Only people and classes are explained: everything else an app sees follows from them."""


@dataclass(frozen=True)
class Change:
    """Where something is changed: in words, and the act of `flows.roles` that lets somebody do it; None where it is not done here."""

    words: str
    act: Act | None

    @property
    def who(self) -> str:
        """Who may change it."""
        if self.act is None:
            return "the office that keeps the records, in the student information system"
        return ", ".join(MAY[self.act])


CHANGES: dict[Setting, Change] = {
    Setting.ROSTER: Change("The record in the student information system", None),
    Setting.IMPORT: Change("Imports, the findings of the last one", Act.SEE_IMPORTS),
    Setting.ADD: Change("Applications, Add application", Act.MANAGE_APPS),
    Setting.ENABLE: Change("The app's page, Enable", Act.MANAGE_APPS),
    Setting.DATES: Change("Permissions, Start and end", Act.EDIT_PERMISSIONS),
    Setting.LEVEL: Change("Permissions, Level", Act.EDIT_PERMISSIONS),
    Setting.ORGS: Change("Permissions, Organizations", Act.EDIT_PERMISSIONS),
    Setting.COURSES: Change("Permissions, Courses", Act.EDIT_PERMISSIONS),
    Setting.CLASSES: Change("Permissions, Classes", Act.EDIT_PERMISSIONS),
    Setting.UNENROLLED: Change("Permissions, Unenrolled users", Act.EDIT_PERMISSIONS),
    Setting.GUARDIANS: Change("Permissions, Guardians", Act.EDIT_PERMISSIONS),
    Setting.OPT_OUT: Change("Opt-outs", Act.OPT_OUT),
}


@dataclass(frozen=True)
class Subject:
    """The record that is explained. `record_id` is 0 where there is none: then `sourced_id` is what was asked for."""

    collection: str
    record_id: int
    sourced_id: str
    name: str


def explain(grant: Grant, subject: Subject, now: float | None = None) -> Explanation:
    """Why the app sees the subject or does not. `now` is in seconds since 1970. Raises NotExplained."""
    if subject.collection not in COLLECTIONS:
        raise NotExplained(subject.collection)
    today = local_date(grant.district, time.time() if now is None else now)
    if subject.record_id:
        if subject.collection == "users":
            person = person_of(grant, subject.record_id, today)
            if person is not None:
                return explain_person(person, sharing_of(grant, today))
        elif taught := taught_of(grant.district_id, [subject.record_id]).get(subject.record_id):
            return explain_class(taught, sharing_of(grant, today))
    return explain_absence(ONE[subject.collection], withheld(grant.district, subject.sourced_id))


def explain_all(district: District, subject: Subject) -> list[tuple[Grant, Explanation]]:
    """Which apps see the subject: of each app of the district, by name."""
    grants = Grant.objects.filter(district=district, removed_at=None).select_related("app", "district")
    found = [(grant, explain(grant, subject)) for grant in grants]
    return sorted(found, key=lambda pair: pair[0].title.casefold())


def subject_of(district: District, collection: str, record_id: int) -> Subject | None:
    """The record of this number."""
    if collection not in COLLECTIONS:
        return None
    record = MODELS[collection]._default_manager.filter(district=district, id=record_id).first()
    return _subject(collection, record) if record else None


def subjects(district: District, text: str) -> list[Subject]:
    """The people and classes this text is of, exactly: a sourcedId, username, identifier, e-mail or class code. At most `MOST`."""
    text = text.strip()
    if not text or "\0" in text:
        return []
    folded = fold(text)
    people = User.objects.filter(
        Q(sourced_id=text) | Q(identifier=text) | Q(username_folded=folded) | Q(email_folded=folded),
        district=district,
    ).order_by("id")[:MOST]
    classes = Class.objects.filter(
        Q(sourced_id=text) | Q(class_code_folded=folded) | Q(title_folded=folded), district=district
    ).order_by("id")[:MOST]
    found = [_subject("users", one) for one in people] + [_subject("classes", one) for one in classes]
    return found[:MOST]


def nobody(text: str) -> Subject:
    """What is asked for where nothing of that name is in the roster."""
    return Subject("users", 0, text.strip(), text.strip())


def _subject(collection: str, record: Record) -> Subject:
    """People are named by their id alone: who asks gave it, and need not learn more."""
    name = getattr(record, "title", "") or record.sourced_id
    return Subject(collection, record.id, record.sourced_id, name)


def withheld(district: District, source_id: str) -> str:
    """What the last import of a connection found about this record, if it was held back; empty where nothing did."""
    for connection in Connection.objects.filter(district=district).order_by("id"):
        run = Run.objects.filter(connection=connection).exclude(outcome="").order_by("-pk").first()
        for one in found_by(run).listed if run else ():
            if one.source_id == source_id and one.severity in ("fatal", "error"):
                return f"{one.message} ({one.file}, line {one.line}; import {run.pk if run else 0})"
    return ""


def told(subject: Subject, explanation: Explanation) -> dict[str, object]:
    """The explanation for programs: names as in JSON answers."""
    return {
        "collection": subject.collection,
        "sourcedId": subject.sourced_id,
        "sees": explanation.sees,
        "facts": [
            {"code": fact.code, "holds": fact.holds, "words": fact.words} for fact in explanation.facts
        ],
        "change": [
            {
                "setting": str(fact.setting),
                "where": CHANGES[fact.setting].words,
                "who": CHANGES[fact.setting].who,
            }
            for fact in explanation.missing
            if fact.setting is not None
        ],
    }
