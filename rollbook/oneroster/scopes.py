"""The OAuth 2 scopes of both versions: their full names, and which of them a token is given.

Which scope opens which operation is said in `operations`. Sources: OneRoster 1.1 REST, 1.2 REST (OpenAPI
security schemes).
"""

from collections.abc import Collection, Iterable

from rollbook.oneroster.spec import Operation

PREFIXES = {
    "1.1": "https://purl.imsglobal.org/spec/or/v1p1/scope/",
    "1.2": "https://purl.imsglobal.org/spec/or/v1p2/scope/",
}

NAMES = {
    "1.1": (
        "roster-core.readonly",
        "roster.readonly",
        "roster-demographics.readonly",
        "resource.readonly",
        "gradebook.readonly",
        "gradebook.createput",
        "gradebook.delete",
    ),
    "1.2": (
        "roster-core.readonly",
        "roster.readonly",
        "roster-demographics.readonly",
        "resource-core.readonly",
        "resource.readonly",
        "gradebook-core.readonly",
        "gradebook.readonly",
        "gradebook.createput",
        "gradebook.createpost",
        "gradebook.delete",
        "assessment.readonly",
        "assessment.createput",
        "assessment.delete",
    ),
}

MEANINGS = {
    "roster-core.readonly": "read every rostering collection and record, but demographics",
    "roster.readonly": "read all of rostering, nested paths included, but demographics",
    "roster-demographics.readonly": "read demographics",
    "resource-core.readonly": "read resources",
    "resource.readonly": "read resources, and those of a class, course or user",
    "gradebook-core.readonly": "read every gradebook collection and record",
    "gradebook.readonly": "read all of the gradebook, nested paths included, but assessments",
    "gradebook.createput": "create and replace in the gradebook",
    "gradebook.createpost": "create in the gradebook, ids given by the server",
    "gradebook.delete": "delete in the gradebook",
    "assessment.readonly": "read assessment line items and results",
    "assessment.createput": "create and replace assessment line items and results",
    "assessment.delete": "delete assessment line items and results",
}


def uri(version: str, name: str) -> str:
    """The full name under which a scope is asked for and granted."""
    return PREFIXES[version] + name


ALL = {uri(version, name): MEANINGS[name] for version, names in NAMES.items() for name in names}
"""Every scope of both versions by its full name, with what it allows."""


def granted(requested: Iterable[str], registered: Iterable[str]) -> tuple[str, ...]:
    """What a token gets of what a client is registered for: all of it when it asks for nothing, else the part
    it asks for.

    Empty means that nothing asked for may be had, which a token endpoint answers with `invalid_scope` (RFC
    6749 §5.2).
    """
    wanted = frozenset(requested)
    return tuple(scope for scope in registered if not wanted or scope in wanted)


def opens(held: Collection[str], operation: Operation) -> bool:
    """Whether a token holding these full names may call the operation: any one of its scopes is enough."""
    return any(uri(operation.version, name) in held for name in operation.scopes)
