"""Every entity of the REST binding, 1.1 and 1.2, as data: members in the order they are rendered, and where
each comes from.

Sources: OneRoster 1.1 REST §4 (data model), OneRoster 1.2 REST (OpenAPI schemas, closed objects). Members
without a source are known but not rendered: passwords never are, and learning objectives have no place in
the canonical record yet.
"""

from dataclasses import replace

from rollbook.oneroster.operations import SINGULAR
from rollbook.oneroster.spec import Entity, Member, Vocabulary
from rollbook.oneroster.vocabularies import (
    CLASS_TYPE_11,
    CLASS_TYPE_12,
    ENROLLMENT_ROLE_11,
    ENROLLMENT_ROLE_12,
    IMPORTANCE,
    OBJECTIVE_SOURCE_12,
    ORG_TYPE_11,
    ORG_TYPE_12,
    RESOURCE_ROLE_11,
    RESOURCE_ROLE_12,
    ROLE_TYPE_12,
    SCORE_STATUS_11,
    SCORE_STATUS_12,
    SESSION_TYPE_11,
    SESSION_TYPE_12,
    SEX_11,
    SEX_12,
    STATUS,
    USER_ROLE_11,
    USER_ROLE_12,
)

WORDS = {
    "academicSessions": "academicSession",
    "assessmentLineItems": "assessmentLineItem",
    "categories": "category",
    "classes": "class",
    "courses": "course",
    "lineItems": "lineItem",
    "orgs": "org",
    "resources": "resource",
    "scoreScales": "scoreScale",
    "users": "user",
}
"""The `type` a reference into a collection states: a word legal in both versions (1.1 also knows student,
teacher, term, gradingPeriod).
"""


def _text(name: str, source: str | None = None, *, required: bool = False) -> Member:
    return Member(name, source=_source(name, source), required=required)


def _exact(name: str, source: str | None = None, *, required: bool = False) -> Member:
    """An identifier, a number to call, or text inside an array: compared byte for byte."""
    return Member(name, source=_source(name, source), required=required, compare="exact")


def _texts(name: str) -> Member:
    return Member(name, many=True, source=name)


def _word(
    name: str,
    vocabulary: Vocabulary,
    source: str | None = None,
    *,
    required: bool = False,
    many: bool = False,
) -> Member:
    return Member(
        name, "enum", source=_source(name, source), vocabulary=vocabulary, required=required, many=many
    )


def _typed(name: str, type_: str, source: str | None = None, *, required: bool = False) -> Member:
    """A date, datetime, year or float, compared as what it is."""
    return Member(name, type_, source=_source(name, source), required=required, compare=type_)


def _flag(name: str, *, required: bool = False, default: str | None = None) -> Member:
    return Member(name, "boolean", source=name, required=required, default=default)


def _ref(
    name: str, target: str, source: str | None = None, *, required: bool = False, many: bool = False
) -> Member:
    return Member(
        name,
        "reference",
        source=_source(name, source),
        target=target,
        word=WORDS[target],
        required=required,
        many=many,
        members=REFERENCE,
        compare="exact",
    )


def _object(
    name: str, members: tuple[Member, ...], *, required: bool = False, source: str | None = None
) -> Member:
    """An array of objects."""
    return Member(name, "object", many=True, source=_source(name, source), required=required, members=members)


def _source(name: str, source: str | None) -> str:
    return name if source is None else source


REFERENCE = (
    Member("href", required=True, compare="exact"),
    Member("sourcedId", required=True, compare="exact"),
    Member("type", "enum", required=True),
)

# dateLastModified stands first, because it is filled in when a stored text is opened.
BASE = (
    Member("dateLastModified", "datetime", required=True, compare="datetime"),
    Member("sourcedId", required=True, source="sourcedId", compare="exact"),
    Member("status", "enum", required=True, vocabulary=STATUS),
    Member("metadata", "metadata", source="metadata"),
)

USER_IDS = (_exact("type", required=True), _exact("identifier", required=True))

ROLES = (
    _word("roleType", ROLE_TYPE_12, required=True),
    _word("role", USER_ROLE_12, required=True),
    _ref("org", "orgs", "orgSourcedId", required=True),
    _exact("userProfile", "profileId"),
    _typed("beginDate", "date"),
    _typed("endDate", "date"),
)

CREDENTIALS = (
    _exact("type", "credentialType", required=True),
    _exact("username", required=True),
    _text("password", ""),
)

USER_PROFILES = (
    _exact("profileId", required=True),
    _exact("profileType", required=True),
    _exact("vendorId", required=True),
    _exact("applicationId"),
    _exact("description"),
    _object("credentials", CREDENTIALS),
)

OBJECTIVES = (
    _word("source", OBJECTIVE_SOURCE_12, required=True),
    Member("learningObjectiveIds", many=True, required=True, compare="exact"),
)

OBJECTIVE_RESULTS = (
    _exact("learningObjectiveId", required=True),
    _typed("score", "float"),
    _text("textScore"),
)

SCORED_OBJECTIVES = (
    _word("source", OBJECTIVE_SOURCE_12, required=True),
    _object("learningObjectiveResults", OBJECTIVE_RESULTS, required=True),
)

SCALE_VALUES = (_text("itemValueLHS", required=True), _text("itemValueRHS", required=True))

RESOURCES = _ref("resources", "resources", many=True)


def _academic_session(types: Vocabulary) -> tuple[Member, ...]:
    return (
        _text("title", required=True),
        _typed("startDate", "date", required=True),
        _typed("endDate", "date", required=True),
        _word("type", types, required=True),
        _ref("parent", "academicSessions", "parentSourcedId"),
        _ref("children", "academicSessions", many=True),
        _typed("schoolYear", "year", required=True),
    )


def _class(types: Vocabulary, periods_default: str | None) -> tuple[Member, ...]:
    return (
        _text("title", required=True),
        _text("classCode"),
        _word("classType", types),
        _text("location"),
        _texts("grades"),
        _texts("subjects"),
        _ref("course", "courses", "courseSourcedId", required=True),
        _ref("school", "orgs", "schoolSourcedId", required=True),
        _ref("terms", "academicSessions", "termSourcedIds", required=True, many=True),
        _texts("subjectCodes"),
        replace(_texts("periods"), default=periods_default),
        RESOURCES,
    )


COURSE = (
    _text("title", required=True),
    _ref("schoolYear", "academicSessions", "schoolYearSourcedId"),
    replace(_text("courseCode", required=True), default=""),
    _texts("grades"),
    _texts("subjects"),
    _ref("org", "orgs", "orgSourcedId"),
    _texts("subjectCodes"),
    RESOURCES,
)


def _demographics(sexes: Vocabulary) -> tuple[Member, ...]:
    return (
        _typed("birthDate", "date"),
        _word("sex", sexes),
        _flag("americanIndianOrAlaskaNative"),
        _flag("asian"),
        _flag("blackOrAfricanAmerican"),
        _flag("nativeHawaiianOrOtherPacificIslander"),
        _flag("white"),
        _flag("demographicRaceTwoOrMoreRaces"),
        _flag("hispanicOrLatinoEthnicity"),
        _text("countryOfBirthCode"),
        _text("stateOfBirthAbbreviation"),
        _text("cityOfBirth"),
        _text("publicSchoolResidenceStatus"),
    )


def _enrollment(roles: Vocabulary) -> tuple[Member, ...]:
    return (
        _ref("user", "users", "userSourcedId", required=True),
        _ref("class", "classes", "classSourcedId", required=True),
        _ref("school", "orgs", "schoolSourcedId", required=True),
        _word("role", roles, required=True),
        _flag("primary", default="false"),
        _typed("beginDate", "date"),
        _typed("endDate", "date"),
    )


def _org(types: Vocabulary) -> tuple[Member, ...]:
    return (
        _text("name", required=True),
        _word("type", types, required=True),
        replace(_exact("identifier", required=True), default_source="sourcedId"),
        _ref("parent", "orgs", "parentSourcedId"),
        _ref("children", "orgs", many=True),
    )


USER_V1P1 = (
    replace(_text("username", required=True), default=""),
    _object("userIds", USER_IDS),
    _flag("enabledUser", required=True),
    _text("givenName", required=True),
    _text("familyName", required=True),
    _text("middleName"),
    _word("role", USER_ROLE_11, required=True),
    _exact("identifier"),
    _text("email"),
    _exact("sms"),
    _exact("phone"),
    _ref("agents", "users", "agentSourcedIds", many=True),
    _ref("orgs", "orgs", "orgSourcedIds", required=True, many=True),
    _texts("grades"),
    _text("password", ""),
)

USER_V1P2 = (
    _exact("userMasterIdentifier"),
    _text("username"),
    _object("userIds", USER_IDS),
    _flag("enabledUser", required=True),
    _text("givenName", required=True),
    _text("familyName", required=True),
    _text("middleName"),
    _text("preferredFirstName", "preferredGivenName"),
    _text("preferredMiddleName"),
    _text("preferredLastName", "preferredFamilyName"),
    _text("pronouns"),
    _object("roles", ROLES, required=True),
    _object("userProfiles", USER_PROFILES),
    _ref("primaryOrg", "orgs", "primaryOrgSourcedId"),
    _exact("identifier"),
    _text("email"),
    _exact("sms"),
    _exact("phone"),
    _ref("agents", "users", "agentSourcedIds", many=True),
    _texts("grades"),
    _text("password", ""),
    RESOURCES,
)


def _resource(roles: Vocabulary) -> tuple[Member, ...]:
    return (
        _text("title"),
        _word("roles", roles, many=True),
        _word("importance", IMPORTANCE),
        _exact("vendorResourceId", required=True),
        _exact("vendorId"),
        _exact("applicationId"),
    )


LINE_ITEM_V1P1 = (
    _text("title", required=True),
    _text("description"),
    _typed("assignDate", "datetime", required=True),
    _typed("dueDate", "datetime", required=True),
    _ref("class", "classes", "classSourcedId", required=True),
    _ref("category", "categories", "categorySourcedId", required=True),
    _ref("gradingPeriod", "academicSessions", "academicSessionSourcedId", required=True),
    replace(_typed("resultValueMin", "float", required=True), default="0"),
    replace(_typed("resultValueMax", "float", required=True), default="100"),
)

LINE_ITEM_V1P2 = (
    _text("title", required=True),
    _text("description"),
    _typed("assignDate", "datetime", required=True),
    _typed("dueDate", "datetime", required=True),
    _ref("class", "classes", "classSourcedId", required=True),
    _ref("school", "orgs", "schoolSourcedId", required=True),
    _ref("category", "categories", "categorySourcedId", required=True),
    _ref("gradingPeriod", "academicSessions", "gradingPeriodSourcedId"),
    _ref("academicSession", "academicSessions", "academicSessionSourcedId"),
    _ref("scoreScale", "scoreScales", "scoreScaleSourcedId"),
    _typed("resultValueMin", "float"),
    _typed("resultValueMax", "float"),
    _object("learningObjectiveSet", OBJECTIVES, source=""),
)

RESULT_V1P1 = (
    _ref("lineItem", "lineItems", "lineItemSourcedId", required=True),
    _ref("student", "users", "studentSourcedId", required=True),
    _word("scoreStatus", SCORE_STATUS_11, required=True),
    replace(_typed("score", "float", required=True), default="0"),
    _typed("scoreDate", "date", required=True),
    _text("comment"),
)

PROGRESS = (_flag("inProgress"), _flag("incomplete"), _flag("late"), _flag("missing"))

RESULT_V1P2 = (
    _ref("lineItem", "lineItems", "lineItemSourcedId", required=True),
    _ref("student", "users", "studentSourcedId", required=True),
    _ref("class", "classes", "classSourcedId"),
    _ref("scoreScale", "scoreScales", "scoreScaleSourcedId"),
    _word("scoreStatus", SCORE_STATUS_12, required=True),
    _typed("score", "float"),
    _text("textScore"),
    _typed("scoreDate", "date", required=True),
    _text("comment"),
    _object("learningObjectiveSet", SCORED_OBJECTIVES, source=""),
    *PROGRESS,
)

SCORE_SCALE = (
    _text("title", required=True),
    _text("type", required=True),
    _ref("course", "courses", "courseSourcedId"),
    _ref("class", "classes", "classSourcedId", required=True),
    _object("scoreScaleValue", SCALE_VALUES, required=True),
)

ASSESSMENT_LINE_ITEM = (
    _text("title", required=True),
    _text("description"),
    _ref("class", "classes", "classSourcedId"),
    _ref("parentAssessmentLineItem", "assessmentLineItems", "parentSourcedId"),
    _ref("scoreScale", "scoreScales", "scoreScaleSourcedId"),
    _typed("resultValueMin", "float"),
    _typed("resultValueMax", "float"),
    _object("learningObjectiveSet", OBJECTIVES, source=""),
)

ASSESSMENT_RESULT = (
    _ref("assessmentLineItem", "assessmentLineItems", "assessmentLineItemSourcedId", required=True),
    _ref("student", "users", "studentSourcedId", required=True),
    _typed("score", "float"),
    _text("textScore"),
    _typed("scoreDate", "date", required=True),
    _ref("scoreScale", "scoreScales", "scoreScaleSourcedId"),
    _typed("scorePercentile", "float"),
    _word("scoreStatus", SCORE_STATUS_12, required=True),
    _text("comment"),
    _object("learningObjectiveSet", SCORED_OBJECTIVES, source=""),
    *PROGRESS,
)

MEMBERS = {
    "1.1": {
        "academicSessions": _academic_session(SESSION_TYPE_11),
        "classes": _class(CLASS_TYPE_11, periods_default=""),
        "courses": COURSE,
        "demographics": _demographics(SEX_11),
        "enrollments": _enrollment(ENROLLMENT_ROLE_11),
        "orgs": _org(ORG_TYPE_11),
        "users": USER_V1P1,
        "resources": _resource(RESOURCE_ROLE_11),
        "categories": (_text("title", required=True),),
        "lineItems": LINE_ITEM_V1P1,
        "results": RESULT_V1P1,
    },
    "1.2": {
        "academicSessions": _academic_session(SESSION_TYPE_12),
        "classes": _class(CLASS_TYPE_12, periods_default=None),
        "courses": COURSE,
        "demographics": _demographics(SEX_12),
        "enrollments": _enrollment(ENROLLMENT_ROLE_12),
        "orgs": _org(ORG_TYPE_12),
        "users": USER_V1P2,
        "resources": _resource(RESOURCE_ROLE_12),
        "categories": (_text("title", required=True), _typed("weight", "float")),
        "lineItems": LINE_ITEM_V1P2,
        "results": RESULT_V1P2,
        "scoreScales": SCORE_SCALE,
        "assessmentLineItems": ASSESSMENT_LINE_ITEM,
        "assessmentResults": ASSESSMENT_RESULT,
    },
}

ENTITIES = {
    (version, collection): Entity(version, SINGULAR[collection], collection, BASE + members)
    for version, collections in MEMBERS.items()
    for collection, members in collections.items()
}
"""Every entity by version and collection; `name` is the wrapper key of one, `collection` that of many."""
