"""What an app sees, made fit for a page: its records as facts and rows, the reasons of Explain as steps, a sanity check as a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.access import Act
from rollbook.console.dates import DAY_FIELDS, dated, day
from rollbook.console.words import COLLECTIONS, ONE_OF, VOCABULARY, field_words
from rollbook.engine.explaining import Explanation, Fact, Setting
from rollbook.flows.explain import CHANGES, Subject
from rollbook.flows.find import SENSITIVE, Part, members_of
from rollbook.store.lookup import Record
from rollbook.store.models import Grant

RELATIONS = {
    "enrollments": gettext_lazy("Enrollments"),
    "classes": gettext_lazy("Classes"),
    "courses": gettext_lazy("Courses"),
    "terms": gettext_lazy("Terms"),
    "demographics": gettext_lazy("Demographics"),
    "agents": gettext_lazy("Guardians and other agents"),
    "orgs": gettext_lazy("Organizations"),
    "above": gettext_lazy("Organizations above them"),
    "resources": gettext_lazy("Resources"),
    "teachers": gettext_lazy("Teachers"),
    "students": gettext_lazy("Students"),
}

MEMBERS: dict[str, tuple[str, ...]] = {
    "users": ("name", "roles", "username", "email", "identifier", "sourcedId"),
    "classes": ("title", "classCode", "school", "course", "sourcedId"),
    "enrollments": ("user", "class", "role", "primary", "beginDate", "endDate", "sourcedId"),
    "courses": ("title", "courseCode", "org", "sourcedId"),
    "academicSessions": ("title", "type", "startDate", "endDate", "sourcedId"),
    "orgs": ("name", "type", "identifier", "sourcedId"),
    "resources": ("title", "vendorResourceId", "sourcedId"),
}
"""What is shown of a record where several are listed. `name` of a person is both of theirs."""

REFERRED = {"user": "users", "class": "classes", "school": "orgs", "org": "orgs", "course": "courses"}
"""The collection that a reference leads into, by the member."""

NAMED_BY_APP = ("users", "classes")
"""Collections whose records have a page of their own here."""


@dataclass(frozen=True)
class Shown:
    """One value: text, and where it leads. `reference`: it is an org that the app is told of for reference only."""

    text: str
    url: str = ""
    reference: bool = False


@dataclass(frozen=True)
class Table:
    """What the app sees of one collection. `more` counts records beyond those shown."""

    words: Any
    collection: str
    anchor: str
    headings: tuple[Any, ...]
    rows: list[list[tuple[Any, Shown]]]
    total: int
    more: int
    members: tuple[str, ...] = ()


def name_of(record: Record) -> str:
    """What a record is called, by what the app is shown of it."""
    person = " ".join(str(record[part]) for part in ("givenName", "familyName") if record.get(part))
    return person or str(record.get("title") or record.get("name") or record["sourcedId"])


def found_url(grant: Grant, collection: str, sourced_id: str) -> str:
    route = reverse(
        "app-found", kwargs={"tenant": grant.district_id, "grant_id": grant.pk, "collection": collection}
    )
    return f"{route}?{urlencode({'id': sourced_id})}"


def table_of(
    grant: Grant,
    collection: str,
    words: Any,
    records: Sequence[Record],
    total: int,
    anchor: str,
    reference: frozenset[str] = frozenset(),
) -> Table:
    """Records of one collection as rows. `reference` are the ids of the orgs that are there for reference only."""
    if collection in SENSITIVE:
        members = tuple(members_of(records))
        return Table(words, collection, anchor, (), [], total, 0, members)
    names = MEMBERS[collection]
    headings = tuple(_heading(name) for name in names)
    rows = [
        [
            (heading, _marked(_shown(grant, collection, record, name), collection, record, name, reference))
            for heading, name in zip(headings, names, strict=True)
        ]
        for record in records
    ]
    return Table(words, collection, anchor, headings, rows, total, total - len(records))


def tables_of(grant: Grant, parts: Iterable[Part]) -> list[Table]:
    return [
        table_of(
            grant,
            part.collection,
            RELATIONS[part.relation],
            part.seen.records,
            part.seen.total,
            part.relation,
            part.reference,
        )
        for part in parts
    ]


def _marked(shown: Shown, collection: str, record: Record, name: str, reference: frozenset[str]) -> Shown:
    """An org says of itself, and where it is named, that it is there for reference only."""
    if collection == "orgs" and name == "name":
        own = record["sourcedId"]
    elif REFERRED.get(name) == "orgs":
        own = (record.get(name) or {}).get("sourcedId")
    else:
        return shown
    return replace(shown, reference=str(own) in reference)


def _heading(name: str) -> Any:
    if name in REFERRED:
        return ONE_OF[REFERRED[name]]
    return _("Name") if name == "name" else field_words(name)


def _shown(grant: Grant, collection: str, record: Record, name: str) -> Shown:
    if name == "name" and collection == "users":
        return Shown(name_of(record), found_url(grant, "users", str(record["sourcedId"])))
    if name == "title" and collection == "classes":
        return Shown(name_of(record), found_url(grant, "classes", str(record["sourcedId"])))
    value = record.get(name)
    if name == "roles" and isinstance(value, list):
        return Shown("; ".join(map(role_in_words, value)))
    if isinstance(value, dict) and "sourcedId" in value:
        target, one = REFERRED.get(name), str(value["sourcedId"])
        return Shown(one, found_url(grant, target, one) if target in NAMED_BY_APP else "")
    return Shown(member_text(name, value))


def role_in_words(post: Mapping[str, Any]) -> str:
    """A role of 1.2 in a list: what it is and where. Its dates and the rest stand on the person's own page."""
    role = str(VOCABULARY.get(post.get("role", ""), post.get("role", "")))
    org = text_of(post.get("org"))
    return _("%(role)s at %(org)s") % {"role": role, "org": org} if org else role


def member_text(name: str, value: Any) -> str:
    """A member of a served record in one line, days and moments as the reader writes them."""
    if name in DAY_FIELDS:
        return day(text_of(value))
    return dated(text_of(value)) if name == "dateLastModified" else text_of(value)


def text_of(value: Any) -> str:
    """Any value of a served record in one line; a reference is the id it names."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return "; ".join(filter(None, map(text_of, value)))
    if isinstance(value, dict):
        if "sourcedId" in value and "href" in value:
            return str(value["sourcedId"])
        return ", ".join(
            f"{name} {member_text(name, one)}" for name, one in value.items() if one not in (None, "")
        )
    return str(value)


def facts_of(record: Record) -> list[tuple[Any, str, str]]:
    """(words, member, value) of every member the app is given, the metadata one by one."""
    plain = [
        (field_words(name), name, member_text(name, value))
        for name, value in record.items()
        if name != "metadata"
    ]
    metadata = record.get("metadata")
    own = metadata.items() if isinstance(metadata, dict) else ()
    return [*plain, *((name, f"metadata.{name}", text_of(value)) for name, value in own)]


# --- Explain --------------------------------------------------------------------------------------------------------------------------------

ROUTES = {
    Setting.ENABLE: "app",
    Setting.DATES: "app-permissions",
    Setting.LEVEL: "app-permissions",
    Setting.ORGS: "app-permissions",
    Setting.COURSES: "app-permissions",
    Setting.CLASSES: "app-permissions",
    Setting.UNENROLLED: "app-permissions",
    Setting.GUARDIANS: "app-permissions",
    Setting.OPT_OUT: "app-optouts",
}
"""The page of an app on which each is changed."""


@dataclass(frozen=True)
class Step:
    """One fact, and how it is changed where it does not hold: where, by whom, and the page, if whoever looks may enter it."""

    fact: Fact
    where: str = ""
    who: str = ""
    url: str = ""


def steps_of(request: Any, grant: Grant, subject: Subject, why: Explanation) -> list[Step]:
    return [_step(request, grant, subject, fact) for fact in why.facts]


def _step(request: Any, grant: Grant, subject: Subject, fact: Fact) -> Step:
    if fact.setting is None:
        return Step(fact)
    change = CHANGES[fact.setting]
    return Step(fact, change.words, change.who, _change_url(request, grant, subject, fact.setting))


def _change_url(request: Any, grant: Grant, subject: Subject, setting: Setting) -> str:
    """Where it is changed; empty where this operator may not."""
    act = CHANGES[setting].act
    may = request.reach.may
    if setting is Setting.ROSTER:
        if not subject.record_id or not may(Act.SEE_ROSTER, grant.district_id):
            return ""
        return reverse(
            "record",
            kwargs={
                "tenant": grant.district_id,
                "collection": subject.collection,
                "record_id": subject.record_id,
            },
        )
    if act is None or not may(act, grant.district_id):
        return ""
    if setting in ROUTES:
        return reverse(ROUTES[setting], kwargs={"tenant": grant.district_id, "grant_id": grant.pk})
    route = "imports" if setting is Setting.IMPORT else "apps"
    return reverse(route, kwargs={"tenant": grant.district_id})


def collection_words(counts: Mapping[str, int]) -> list[tuple[Any, int]]:
    """Counts by collection, in words."""
    return [(COLLECTIONS.get(name, name), number) for name, number in counts.items()]
