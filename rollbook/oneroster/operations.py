"""Every operation of the REST binding: the 61 of 1.1 and the 41 + 35 + 5 of 1.2, as data.

Sources: OneRoster 1.1 REST §3 and its scopes; OneRoster 1.2 Rostering, Gradebook and Resources REST
(OpenAPI). Where 1.1 names one scope for a core collection, `roster.readonly` opens it too: clients that ask
for that scope alone expect the whole roster.
"""

from collections.abc import Iterator

from rollbook.oneroster.spec import Operation

BASES = {
    ("1.1", "rostering"): "/ims/oneroster/v1p1",
    ("1.1", "gradebook"): "/ims/oneroster/v1p1",
    ("1.1", "resources"): "/ims/oneroster/v1p1",
    ("1.2", "rostering"): "/ims/oneroster/rostering/v1p2",
    ("1.2", "gradebook"): "/ims/oneroster/gradebook/v1p2",
    ("1.2", "resources"): "/ims/oneroster/resources/v1p2",
}

SINGULAR = {
    "academicSessions": "academicSession",
    "assessmentLineItems": "assessmentLineItem",
    "assessmentResults": "assessmentResult",
    "categories": "category",
    "classes": "class",
    "courses": "course",
    "demographics": "demographics",
    "enrollments": "enrollment",
    "lineItems": "lineItem",
    "orgs": "org",
    "resources": "resource",
    "results": "result",
    "scoreScales": "scoreScale",
    "users": "user",
}
"""The wrapper key of one record by that of many."""

ROSTER_CORE_SCOPES: tuple[str, ...] = ("roster.readonly", "roster-core.readonly")
DEMOGRAPHICS_SCOPES: tuple[str, ...] = ("roster-demographics.readonly",)

# Path, collection of its records, name of all in operation ids, name of one.
ROSTER_CORE = (
    ("academicSessions", "academicSessions", "AcademicSessions", "AcademicSession"),
    ("classes", "classes", "Classes", "Class"),
    ("courses", "courses", "Courses", "Course"),
    ("demographics", "demographics", "Demographics", "Demographics"),
    ("enrollments", "enrollments", "Enrollments", "Enrollment"),
    ("gradingPeriods", "academicSessions", "GradingPeriods", "GradingPeriod"),
    ("orgs", "orgs", "Orgs", "Org"),
    ("schools", "orgs", "Schools", "School"),
    ("students", "users", "Students", "Student"),
    ("teachers", "users", "Teachers", "Teacher"),
    ("terms", "academicSessions", "Terms", "Term"),
    ("users", "users", "Users", "User"),
)

# Path, operation id, collection of its records.
ROSTER_NESTED = (
    ("/classes/{classSourcedId}/students", "getStudentsForClass", "users"),
    ("/classes/{classSourcedId}/teachers", "getTeachersForClass", "users"),
    ("/courses/{courseSourcedId}/classes", "getClassesForCourse", "classes"),
    ("/schools/{schoolSourcedId}/classes", "getClassesForSchool", "classes"),
    (
        "/schools/{schoolSourcedId}/classes/{classSourcedId}/enrollments",
        "getEnrollmentsForClassInSchool",
        "enrollments",
    ),
    ("/schools/{schoolSourcedId}/classes/{classSourcedId}/students", "getStudentsForClassInSchool", "users"),
    ("/schools/{schoolSourcedId}/classes/{classSourcedId}/teachers", "getTeachersForClassInSchool", "users"),
    ("/schools/{schoolSourcedId}/courses", "getCoursesForSchool", "courses"),
    ("/schools/{schoolSourcedId}/enrollments", "getEnrollmentsForSchool", "enrollments"),
    ("/schools/{schoolSourcedId}/students", "getStudentsForSchool", "users"),
    ("/schools/{schoolSourcedId}/teachers", "getTeachersForSchool", "users"),
    ("/schools/{schoolSourcedId}/terms", "getTermsForSchool", "academicSessions"),
    ("/students/{studentSourcedId}/classes", "getClassesForStudent", "classes"),
    ("/teachers/{teacherSourcedId}/classes", "getClassesForTeacher", "classes"),
    ("/terms/{termSourcedId}/classes", "getClassesForTerm", "classes"),
    ("/terms/{termSourcedId}/gradingPeriods", "getGradingPeriodsForTerm", "academicSessions"),
    ("/users/{userSourcedId}/classes", "getClassesForUser", "classes"),
)

# Collection, name of all, name of one; each can be read, put and deleted.
GRADEBOOK_CORE = {
    "1.1": (
        ("categories", "Categories", "Category"),
        ("lineItems", "LineItems", "LineItem"),
        ("results", "Results", "Result"),
    ),
    "1.2": (
        ("categories", "Categories", "Category"),
        ("lineItems", "LineItems", "LineItem"),
        ("results", "Results", "Result"),
        ("scoreScales", "ScoreScales", "ScoreScale"),
    ),
}

ASSESSMENTS = (
    ("assessmentLineItems", "AssessmentLineItems", "AssessmentLineItem"),
    ("assessmentResults", "AssessmentResults", "AssessmentResult"),
)

GRADEBOOK_NESTED_V1P1 = (
    ("/classes/{classSourcedId}/lineItems", "getLineItemsForClass", "lineItems"),
    (
        "/classes/{classSourcedId}/lineItems/{lineItemSourcedId}/results",
        "getResultsForLineItemForClass",
        "results",
    ),
    ("/classes/{classSourcedId}/results", "getResultsForClass", "results"),
    (
        "/classes/{classSourcedId}/students/{studentSourcedId}/results",
        "getResultsForStudentForClass",
        "results",
    ),
)

GRADEBOOK_NESTED = {
    "1.1": GRADEBOOK_NESTED_V1P1,
    "1.2": (
        *GRADEBOOK_NESTED_V1P1,
        ("/classes/{classSourcedId}/categories", "getCategoriesForClass", "categories"),
        ("/classes/{classSourcedId}/scoreScales", "getScoreScalesForClass", "scoreScales"),
        ("/schools/{schoolSourcedId}/scoreScales", "getScoreScalesForSchool", "scoreScales"),
    ),
}

GRADEBOOK_POSTS_V1P2 = (
    (
        "/classes/{classSourcedId}/academicSessions/{academicSessionSourcedId}/results",
        "postResultsForAcademicSessionForClass",
        "results",
    ),
    ("/classes/{classSourcedId}/lineItems", "postLineItemsForClass", "lineItems"),
    ("/lineItems/{lineItemSourcedId}/results", "postResultsForLineItem", "results"),
    ("/schools/{schoolSourcedId}/lineItems", "postLineItemsForSchool", "lineItems"),
)

RESOURCES_NESTED_V1P1 = (
    ("/classes/{classSourcedId}/resources", "getResourcesForClass", "resources"),
    ("/courses/{courseSourcedId}/resources", "getResourcesForCourse", "resources"),
)

RESOURCES_NESTED = {
    "1.1": RESOURCES_NESTED_V1P1,
    "1.2": (*RESOURCES_NESTED_V1P1, ("/users/{userSourcedId}/resources", "getResourcesForUser", "resources")),
}

# The services a server of ours answers; the operations of the others are known, and 404.
OFFERED = frozenset({"rostering", "resources"})


def _rostering(version: str) -> Iterator[Operation]:
    for path, collection, every, one in ROSTER_CORE:
        scopes = DEMOGRAPHICS_SCOPES if collection == "demographics" else ROSTER_CORE_SCOPES
        yield from _reads(version, "rostering", path, collection, every, one, scopes)
    for path, operation_id, collection in ROSTER_NESTED:
        yield _nested(version, "rostering", path, operation_id, collection, "roster.readonly")


def _gradebook(version: str) -> Iterator[Operation]:
    core = {"1.1": ("gradebook.readonly",), "1.2": ("gradebook.readonly", "gradebook-core.readonly")}
    for collection, every, one in GRADEBOOK_CORE[version]:
        yield from _reads(version, "gradebook", collection, collection, every, one, core[version])
        yield from _writes(version, collection, one, "gradebook")
    for path, operation_id, collection in GRADEBOOK_NESTED[version]:
        yield _nested(version, "gradebook", path, operation_id, collection, "gradebook.readonly")
    if version == "1.2":
        yield from map(_post, GRADEBOOK_POSTS_V1P2)
        for collection, every, one in ASSESSMENTS:
            scopes = ("assessment.readonly",)
            yield from _reads(version, "gradebook", collection, collection, every, one, scopes)
            yield from _writes(version, collection, one, "assessment")


def _resources(version: str) -> Iterator[Operation]:
    core = {"1.1": ("resource.readonly",), "1.2": ("resource.readonly", "resource-core.readonly")}
    yield from _reads(version, "resources", "resources", "resources", "Resources", "Resource", core[version])
    for path, operation_id, collection in RESOURCES_NESTED[version]:
        yield _nested(version, "resources", path, operation_id, collection, "resource.readonly")


def _reads(
    version: str, service: str, path: str, collection: str, every: str, one: str, scopes: tuple[str, ...]
) -> Iterator[Operation]:
    """All of a collection, and one record of it."""
    offered = service in OFFERED
    yield Operation(
        version, service, "GET", f"/{path}", f"getAll{every}", "collection", scopes, collection, collection,
        served=offered,
    )  # fmt: skip
    yield Operation(
        version, service, "GET", f"/{path}/{{sourcedId}}", f"get{one}", "single", scopes,
        SINGULAR[collection], collection, served=offered,
    )  # fmt: skip


def _nested(
    version: str, service: str, path: str, operation_id: str, collection: str, scope: str
) -> Operation:
    return Operation(
        version, service, "GET", path, operation_id, "collection", (scope,), collection, collection,
        served=service in OFFERED,
    )  # fmt: skip


def _writes(version: str, collection: str, one: str, family: str) -> Iterator[Operation]:
    """PUT creates or replaces under an id the caller chose; no body is defined for the answers."""
    path = f"/{collection}/{{sourcedId}}"
    yield Operation(
        version, "gradebook", "PUT", path, f"put{one}", "put", (f"{family}.createput",), None, collection,
        request_key=SINGULAR[collection], success=201, served="gradebook" in OFFERED,
    )  # fmt: skip
    yield Operation(
        version, "gradebook", "DELETE", path, f"delete{one}", "delete", (f"{family}.delete",), None,
        collection, success=204, served="gradebook" in OFFERED,
    )  # fmt: skip


def _post(row: tuple[str, str, str]) -> Operation:
    """POST creates several records under ids of the server's, answered as pairs of supplied and allocated
    sourcedIds.
    """
    path, operation_id, collection = row
    return Operation(
        "1.2", "gradebook", "POST", path, operation_id, "post", ("gradebook.createpost",), "sourcedIdPairs",
        collection, request_key=collection, success=201, served="gradebook" in OFFERED,
    )  # fmt: skip


OPERATIONS = tuple(
    operation
    for version in ("1.1", "1.2")
    for service in (_rostering, _resources, _gradebook)
    for operation in service(version)
)

OPERATION = {(operation.version, operation.operation_id): operation for operation in OPERATIONS}


def operations(version: str, service: str | None = None) -> tuple[Operation, ...]:
    """The operations of one version, of one of its services or of all."""
    return tuple(
        operation
        for operation in OPERATIONS
        if operation.version == version and service in (None, operation.service)
    )
