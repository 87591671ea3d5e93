"""The canonical record: the collections one store keeps for both versions, shaped by the columns of the 1.2
CSV files.

Which CSV files feed them, which are served over REST as records of their own, and in which order they can be
loaded.
"""

from dataclasses import dataclass
from functools import cached_property

from rollbook.oneroster.spec import Field
from rollbook.oneroster.tables import V1P2

NOT_KEPT = frozenset({"sourcedId", "status", "dateLastModified", "password"})
"""Columns that are no part of the payload: the identity, the lifecycle the store keeps itself, and what is
never kept at all.
"""


@dataclass(frozen=True)
class Collection:
    """One collection of the roster: the files that feed it by version, the collections it refers to, and why
    it stands where it does.

    `served` says whether it is an entity of the REST binding; the others are shown inside the record they belong to.
    """

    name: str
    feeds: dict[str, tuple[str, ...]]
    needs: tuple[str, ...]
    served: bool
    why: str

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The payload: every column of the 1.2 file but those of `NOT_KEPT`, in file order."""
        return tuple(field for field in V1P2.table(self.name).fields if field.name not in NOT_KEPT)

    @cached_property
    def references(self) -> tuple[Field, ...]:
        """The columns that refer to other records; the sourcedId of demographics, which names a user, is not
        among them.
        """
        return tuple(field for field in self.fields if field.is_reference)


COLLECTIONS = (
    Collection(
        "orgs",
        {"1.1": ("orgs",), "1.2": ("orgs",)},
        ("orgs",),
        True,
        "refers only to itself; all else hangs on it",
    ),
    Collection(
        "academicSessions",
        {"1.1": ("academicSessions",), "1.2": ("academicSessions",)},
        ("academicSessions",),
        True,
        "refers only to itself",
    ),
    Collection(
        "courses",
        {"1.1": ("courses",), "1.2": ("courses",)},
        ("orgs", "academicSessions"),
        True,
        "belongs to an org and may name its school year",
    ),
    Collection(
        "classes",
        {"1.1": ("classes",), "1.2": ("classes",)},
        ("courses", "orgs", "academicSessions"),
        True,
        "teaches a course, at a school, in terms",
    ),
    Collection(
        "users",
        {"1.1": ("users",), "1.2": ("users",)},
        ("orgs", "users"),
        True,
        "may name a primary org, and other users as agents",
    ),
    Collection(
        "userProfiles",
        {"1.1": (), "1.2": ("userProfiles",)},
        ("users",),
        False,
        "belongs to a user; 1.1 has none",
    ),
    Collection(
        "roles",
        {"1.1": ("users",), "1.2": ("roles",)},
        ("users", "orgs", "userProfiles"),
        False,
        "joins a user to an org and may name a profile; derived from users.csv in 1.1",
    ),
    Collection(
        "enrollments",
        {"1.1": ("enrollments",), "1.2": ("enrollments",)},
        ("classes", "orgs", "users"),
        True,
        "joins a user to a class at a school",
    ),
    Collection(
        "demographics",
        {"1.1": ("demographics",), "1.2": ("demographics",)},
        ("users",),
        True,
        "has its user's sourcedId",
    ),
    Collection(
        "resources",
        {"1.1": ("resources",), "1.2": ("resources",)},
        (),
        True,
        "refers to nothing; courses, classes and people are given it",
    ),
    Collection(
        "courseResources",
        {"1.1": ("courseResources",), "1.2": ("courseResources",)},
        ("courses", "resources"),
        False,
        "gives a course a resource",
    ),
    Collection(
        "classResources",
        {"1.1": ("classResources",), "1.2": ("classResources",)},
        ("classes", "resources"),
        False,
        "gives a class a resource",
    ),
    Collection(
        "userResources",
        {"1.1": (), "1.2": ("userResources",)},
        ("users", "orgs", "classes", "resources"),
        False,
        "gives a person a resource; 1.1 has none",
    ),
)

COLLECTION = {collection.name: collection for collection in COLLECTIONS}

LOAD_ORDER = tuple(collection.name for collection in COLLECTIONS)
"""Every collection behind those it refers to; read backwards, the order of removal."""

CALLED = {
    "orgs": "organizations",
    "academicSessions": "academic sessions",
    "courses": "courses",
    "classes": "classes",
    "users": "people",
    "userProfiles": "user profiles",
    "roles": "roles",
    "enrollments": "enrollments",
    "demographics": "demographics",
    "resources": "resources",
    "courseResources": "resources of courses",
    "classResources": "resources of classes",
    "userResources": "resources of people",
}
"""What sentences call the records of a collection; its name is for files, addresses and commands."""

SERVED = tuple(collection.name for collection in COLLECTIONS if collection.served)
