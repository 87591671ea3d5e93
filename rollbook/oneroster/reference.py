"""docs/reference/oneroster.md, written from the standard as data: files and columns, entities and members, operations, scopes.

Tables of Markdown and nothing else; what the words mean is said in the page's own prose here.
"""

from collections.abc import Iterable, Iterator

from rollbook.oneroster.collections import COLLECTIONS
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.errors import PROBLEMS
from rollbook.oneroster.operations import BASES, operations
from rollbook.oneroster.scopes import MEANINGS, NAMES, PREFIXES
from rollbook.oneroster.spec import Entity, Field, Member, Operation, Table, Vocabulary
from rollbook.oneroster.tables import BINDINGS

REQUIRED = {"yes": "yes", "no": "", "delta": "in delta files; blank in bulk files"}

INTRODUCTION = (
    "# OneRoster as Rollbook knows it",
    "",
    "Files, records, operations and scopes of OneRoster 1.1 and 1.2. `script/docs` writes this page from the data in",
    "`rollbook/oneroster/`, from which reading, serving and querying follow too.",
    "",
)


def reference_markdown() -> str:
    """The whole page."""
    lines = [
        *INTRODUCTION,
        *_collections(),
        *_files(),
        *_entities(),
        *_operations(),
        *_scopes(),
        *_problems(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _collections() -> Iterator[str]:
    yield from (
        "## What is kept",
        "",
        "One roster serves both versions. These collections are kept, each with the columns of its 1.2 file but passwords;",
        "they are loaded in this order and removed in the opposite one.",
        "",
    )
    yield from _table(
        ("collection", "from 1.1", "from 1.2", "refers to", "because it"),
        (
            (
                f"`{collection.name}`",
                _codes(f"{name}.csv" for name in collection.feeds["1.1"]),
                _codes(f"{name}.csv" for name in collection.feeds["1.2"]),
                _codes(collection.needs),
                collection.why,
            )
            for collection in COLLECTIONS
        ),
    )


def _files() -> Iterator[str]:
    for version, binding in BINDINGS.items():
        yield from (
            f"## CSV {version}: {len(binding.tables)} files and manifest.csv",
            "",
            "Columns in the order prescribed; columns of a district's own follow as `metadata.<name>`.",
            "",
        )
        for table in binding.tables:
            yield from _file(version, table)


def _file(version: str, table: Table) -> Iterator[str]:
    yield from (f"### {table.file} ({version})", "")
    yield from _table(
        ("column", "required", "type", "values"),
        ((f"`{field.name}`", REQUIRED[field.required], field.type, _values(field)) for field in table.fields),
    )


def _values(field: Field) -> str:
    if field.target is not None:
        return f"a sourcedId of {field.target}.csv"
    if field.item is not None:
        return f"items `{field.item}`"
    return _words(field.vocabulary)


def _words(vocabulary: Vocabulary | None) -> str:
    if vocabulary is None:
        return ""
    return _codes(vocabulary.words) + (", or `ext:…`" if vocabulary.extensible else "")


def _entities() -> Iterator[str]:
    yield from (
        "## Records over REST",
        "",
        "What is served can be filtered by, inner members with a dot (`org.sourcedId`). *Exact* compares byte for byte,",
        "*folded* without regard to case, the others as what they are. A member that comes from nowhere is known, but not served.",
        "",
    )
    for entity in ENTITIES.values():
        yield from (f"### {entity.name} ({entity.version})", "")
        yield from _table(("member", "required", "type", "compared", "from"), _members(entity))


def _members(entity: Entity) -> Iterator[tuple[str, ...]]:
    for name, member in _flattened("", entity.members):
        required = "yes" if member.required else ""
        yield f"`{name}`", required, _type(member), member.compare, _origin(member)


def _flattened(prefix: str, members: Iterable[Member]) -> Iterator[tuple[str, Member]]:
    """(dotted name, member) of all members, those of objects included; a reference's three are the same everywhere."""
    for member in members:
        yield prefix + member.name, member
        if member.type == "object":
            yield from _flattened(f"{prefix}{member.name}.", member.members)


def _type(member: Member) -> str:
    shown = f"reference ({member.word})" if member.type == "reference" else member.type
    words = f": {_words(member.vocabulary)}" if member.vocabulary else ""
    return f"{shown}{' list' if member.many else ''}{words}"


def _origin(member: Member) -> str:
    if member.name in ("dateLastModified", "status"):
        return "the publication"
    return f"`{member.source}`" if member.source else ""


def _operations() -> Iterator[str]:
    for version in BINDINGS:
        yield from (f"## Operations of {version}", "")
        for service in ("rostering", "resources", "gradebook"):
            found = operations(version, service)
            offered = "" if found[0].served else ", not offered yet"
            title = f"### {service.capitalize()} {version}: {len(found)} operations{offered}"
            yield from (title, "", f"Below `{BASES[version, service]}`.", "")
            yield from _table(
                ("operation", "method and path", "answer's key", "any of these scopes"), _rows(found)
            )


def _rows(found: Iterable[Operation]) -> Iterator[tuple[str, ...]]:
    for operation in found:
        key = f"`{operation.key}`" if operation.key else ""
        path = f"`{operation.method} {operation.path}`"
        yield f"`{operation.operation_id}`", path, key, _codes(operation.scopes)


def _scopes() -> Iterator[str]:
    yield from ("## Scopes", "", "A token request that asks for no scope is given all the client has.", "")
    for version, names in NAMES.items():
        yield from (f"### Scopes of {version}", "", f"Full names begin with `{PREFIXES[version]}`.", "")
        yield from _table(("scope", "lets a client"), ((f"`{name}`", MEANINGS[name]) for name in names))


def _problems() -> Iterator[str]:
    yield from ("## Failures", "", "What a failed call is answered with.", "")
    yield from _table(
        ("status", "code minor in 1.1", "code minor in 1.2"),
        (
            (str(problem.status), f"`{problem.v1p1}`", f"`{problem.v1p2}`" if problem.v1p2 else "none")
            for problem in PROBLEMS
        ),
    )


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(header)
    yield "|" + "---|" * len(header)
    yield from map(_line, rows)
    yield ""


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
