"""The collections as the browser shows them: which columns, what the search looks into, what can be sorted, filtered and narrowed."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from rollbook.console.words import COLLECTIONS, ONE_OF, field_words
from rollbook.oneroster.spec import Vocabulary
from rollbook.oneroster.vocabularies import (
    CLASS_TYPE_12,
    ENROLLMENT_ROLE_12,
    ORG_TYPE_12,
    SESSION_TYPE_12,
    USER_ROLE_12,
)
from rollbook.store.columns import column_of
from rollbook.store.models import RECORDS, Record


@dataclass(frozen=True)
class Column:
    """One column of a table: a field of the standard. `sort` is the model's column it is sorted by; without one it is not sorted."""

    field: str
    sort: str | None = None
    target: str | None = None
    kind: str = "text"

    @property
    def name(self) -> str:
        return column_of(self.field)

    @property
    def words(self) -> Any:
        return field_words(self.field)


@dataclass(frozen=True)
class Sheet:
    """One collection in the browser.

    `folded` and `exact` are the columns searched without case and as they are; `through` those whose records are searched by name
    ({column: collection}). `kind` is the field of the second filter with its vocabulary. `narrow` maps a parameter of the address to
    (the collection it names a record of, our column, the words that say so).
    """

    collection: str
    columns: tuple[Column, ...]
    order: str
    folded: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    through: tuple[tuple[str, str], ...] = ()
    kind: tuple[str, Vocabulary] | None = None
    narrow: tuple[tuple[str, tuple[str, str]], ...] = ()
    sensitive: bool = False
    hint: Any = ""

    @property
    def model(self) -> type[Record]:
        return RECORDS[self.collection]

    @property
    def words(self) -> Any:
        return COLLECTIONS[self.collection]

    @property
    def one(self) -> Any:
        return ONE_OF[self.collection]

    @property
    def sorts(self) -> dict[str, str]:
        """Sortable columns by the field that names them in an address."""
        return {column.field: column.sort for column in self.columns if column.sort}


ID = Column("sourcedId", sort="sourced_id", kind="id")
STATUS = Column("status", kind="status")


def _given(collection: str, field: str, owners: str, column: str, param: str) -> Sheet:
    """To whom resources were given."""
    return Sheet(
        collection,
        (
            Column(field, target=owners, kind="reference"),
            Column("resourceSourcedId", target="resources", kind="reference"),
            Column("sourcedId", sort="sourced_id", kind="self"),
            STATUS,
        ),
        order="sourcedId",
        exact=("sourced_id",),
        through=((column, owners), ("resource_id", "resources")),
        narrow=((param, (owners, column)), ("resource", ("resources", "resource_id"))),
        hint=_("Resource or id"),
    )


SHEETS: dict[str, Sheet] = {
    sheet.collection: sheet
    for sheet in (
        Sheet(
            "users",
            (
                Column("familyName", sort="family_name_folded", kind="self"),
                Column("givenName", sort="given_name_folded"),
                Column("role", kind="roles"),
                Column("username", sort="username_folded", kind="long"),
                Column("email", sort="email_folded", kind="long"),
                Column("grades", kind="list"),
                ID,
                STATUS,
            ),
            order="familyName",
            folded=(
                "family_name_folded",
                "given_name_folded",
                "preferred_family_name_folded",
                "preferred_given_name_folded",
                "username_folded",
                "email_folded",
            ),
            exact=("sourced_id", "identifier"),
            kind=("role", USER_ROLE_12),
            hint=_("Name, e-mail, username, identifier or id"),
        ),
        Sheet(
            "classes",
            (
                Column("title", sort="title_folded", kind="self"),
                Column("classCode", sort="class_code_folded"),
                Column("courseSourcedId", target="courses", kind="reference"),
                Column("schoolSourcedId", target="orgs", kind="reference"),
                Column("classType", sort="class_type", kind="word"),
                Column("grades", kind="list"),
                ID,
                STATUS,
            ),
            order="title",
            folded=("title_folded", "class_code_folded", "location_folded"),
            exact=("sourced_id",),
            kind=("classType", CLASS_TYPE_12),
            narrow=(("school", ("orgs", "school_id")), ("course", ("courses", "course_id"))),
            hint=_("Title, class code, room or id"),
        ),
        Sheet(
            "courses",
            (
                Column("title", sort="title_folded", kind="self"),
                Column("courseCode", sort="course_code_folded"),
                Column("orgSourcedId", target="orgs", kind="reference"),
                Column("grades", kind="list"),
                Column("subjects", kind="list"),
                ID,
                STATUS,
            ),
            order="title",
            folded=("title_folded", "course_code_folded", "subjects_folded"),
            exact=("sourced_id",),
            narrow=(
                ("org", ("orgs", "org_id")),
                ("session", ("academicSessions", "school_year_id")),
            ),
            hint=_("Title, course code, subject or id"),
        ),
        Sheet(
            "enrollments",
            (
                Column("userSourcedId", target="users", kind="reference"),
                Column("classSourcedId", target="classes", kind="reference"),
                Column("role", sort="role", kind="word"),
                Column("schoolSourcedId", target="orgs", kind="reference"),
                Column("beginDate", sort="begin_date", kind="date"),
                Column("endDate", sort="end_date", kind="date"),
                Column("sourcedId", sort="sourced_id", kind="self"),
                STATUS,
            ),
            order="sourcedId",
            exact=("sourced_id",),
            through=(("user_id", "users"), ("class_id", "classes")),
            kind=("role", ENROLLMENT_ROLE_12),
            narrow=(
                ("class", ("classes", "class_id")),
                ("person", ("users", "user_id")),
                ("school", ("orgs", "school_id")),
            ),
            hint=_("Person, class or id"),
        ),
        Sheet(
            "orgs",
            (
                Column("name", sort="name_folded", kind="self"),
                Column("type", sort="type", kind="word"),
                Column("identifier", sort="identifier"),
                Column("parentSourcedId", target="orgs", kind="reference"),
                ID,
                STATUS,
            ),
            order="name",
            folded=("name_folded",),
            exact=("sourced_id", "identifier"),
            kind=("type", ORG_TYPE_12),
            narrow=(("parent", ("orgs", "parent_id")),),
            hint=_("Name, identifier or id"),
        ),
        Sheet(
            "academicSessions",
            (
                Column("title", sort="title_folded", kind="self"),
                Column("type", sort="type", kind="word"),
                Column("startDate", sort="start_date", kind="date"),
                Column("endDate", sort="end_date", kind="date"),
                Column("schoolYear", sort="school_year"),
                Column("parentSourcedId", target="academicSessions", kind="reference"),
                ID,
                STATUS,
            ),
            order="startDate",
            folded=("title_folded",),
            exact=("sourced_id", "school_year"),
            kind=("type", SESSION_TYPE_12),
            narrow=(("parent", ("academicSessions", "parent_id")),),
            hint=_("Title, school year or id"),
        ),
        Sheet(
            "roles",
            (
                Column("userSourcedId", target="users", kind="reference"),
                Column("role", sort="role", kind="word"),
                Column("roleType", sort="role_type", kind="word"),
                Column("orgSourcedId", target="orgs", kind="reference"),
                Column("beginDate", sort="begin_date", kind="date"),
                Column("endDate", sort="end_date", kind="date"),
                Column("sourcedId", sort="sourced_id", kind="self"),
                STATUS,
            ),
            order="sourcedId",
            exact=("sourced_id",),
            through=(("user_id", "users"), ("org_id", "orgs")),
            kind=("role", USER_ROLE_12),
            narrow=(("person", ("users", "user_id")), ("org", ("orgs", "org_id"))),
            hint=_("Person, organization or id"),
        ),
        Sheet(
            "userProfiles",
            (
                Column("userSourcedId", target="users", kind="reference"),
                Column("profileType", sort="profile_type"),
                Column("credentialType", sort="credential_type"),
                Column("username", sort="username"),
                Column("vendorId", sort="vendor_id"),
                Column("sourcedId", sort="sourced_id", kind="self"),
                STATUS,
            ),
            order="sourcedId",
            exact=("sourced_id", "username", "vendor_id"),
            through=(("user_id", "users"),),
            narrow=(("person", ("users", "user_id")),),
            hint=_("Person, username, vendor or id"),
        ),
        Sheet(
            "demographics",
            (
                Column("sourcedId", sort="sourced_id", kind="self"),
                Column("userSourcedId", target="users", kind="reference"),
                STATUS,
            ),
            order="sourcedId",
            exact=("sourced_id",),
            through=(("user_id", "users"),),
            narrow=(("person", ("users", "user_id")),),
            sensitive=True,
            hint=_("Person or id"),
        ),
        Sheet(
            "resources",
            (
                Column("title", sort="title_folded", kind="self"),
                Column("vendorResourceId", sort="vendor_resource_id"),
                Column("vendorId", sort="vendor_id"),
                Column("importance", sort="importance", kind="word"),
                ID,
                STATUS,
            ),
            order="title",
            folded=("title_folded",),
            exact=("sourced_id", "vendor_resource_id", "vendor_id"),
            hint=_("Title, vendor or id"),
        ),
        _given("courseResources", "courseSourcedId", "courses", "course_id", "course"),
        _given("classResources", "classSourcedId", "classes", "class_id", "class"),
        _given("userResources", "userSourcedId", "users", "user_id", "person"),
    )
}
"""In the order of the roster's menu."""


def name_of(record: Record) -> str:
    """What a record is called where it is mentioned: a person's name, a title, or its id where it has none."""
    family = getattr(record, "family_name", None)
    if family is not None:
        given = getattr(record, "given_name", "")
        return f"{given} {family}".strip() or record.sourced_id
    return getattr(record, "title", "") or getattr(record, "name", "") or record.sourced_id


NAME_COLUMNS = {
    "users": ("given_name", "family_name"),
    "orgs": ("name",),
    "academicSessions": ("title",),
    "courses": ("title",),
    "classes": ("title",),
    "resources": ("title",),
}
"""The columns `name_of` needs, so that a page that only mentions records does not read all of each."""
