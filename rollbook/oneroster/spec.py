"""The words in which the standard is written down: Vocabulary, Field, Table, Binding (CSV) and Member,
Entity, Operation (REST).

Nothing here knows a particular file or endpoint; `tables`, `entities` and `operations` say which there are.
"""

import re
from dataclasses import dataclass
from functools import cached_property

EXTENSION = re.compile(r"ext:[A-Za-z0-9.\-_]+")
GUID = re.compile(r"[0-9A-Za-z.\-_/@]{1,255}")


@dataclass(frozen=True)
class Vocabulary:
    """A closed list of words; where `extensible`, any `ext:token` is a word too (CSV 1.2.1 §4, REST 1.2
    `enum+`).
    """

    name: str
    words: tuple[str, ...]
    extensible: bool = False

    def __contains__(self, word: object) -> bool:
        return word in self.words or (
            self.extensible and isinstance(word, str) and EXTENSION.fullmatch(word) is not None
        )

    def spelled(self, word: str) -> str | None:
        """The word as the standard spells it, whatever the case, spaces, underscores and hyphens of `word`;
        None if none fits.
        """
        if word in self:
            return word
        return self._by_loose_spelling.get(loose(word))

    @cached_property
    def _by_loose_spelling(self) -> dict[str, str]:
        return {loose(word): word for word in self.words}


def loose(word: str) -> str:
    """`word` without case, spaces, underscores and hyphens: how vocabularies are compared when reading
    leniently.
    """
    return re.sub(r"[\s_\-]", "", word).casefold()


@dataclass(frozen=True)
class Field:
    """One column of a CSV file.

    `type` is one of guid, guidRef, guidRefList, string, stringList, enum, enumList, boolean, date, datetime,
    year, int, float, id. `required` is yes, no, or delta (filled in delta files, blank in bulk files).
    `target` is the file a reference points to. `item` is the shape of a composite list item, for example
    `{type:identifier}`.
    """

    name: str
    type: str
    required: str
    vocabulary: Vocabulary | None = None
    target: str | None = None
    item: str | None = None

    @property
    def is_list(self) -> bool:
        return self.type in ("guidRefList", "stringList", "enumList")

    @property
    def is_reference(self) -> bool:
        return self.target is not None


@dataclass(frozen=True)
class Table:
    """One CSV file: its name without `.csv`, which is also its key in the manifest, and its columns in the
    order prescribed.
    """

    name: str
    fields: tuple[Field, ...]

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def references(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.is_reference)

    def field(self, name: str) -> Field:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}


@dataclass(frozen=True)
class Binding:
    """All CSV files of one version of the standard."""

    version: str
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, Table]:
        return {table.name: table for table in self.tables}


@dataclass(frozen=True)
class Member:
    """One member of a JSON object of the REST binding.

    `type` is one of string, enum, boolean (a JSON string "true"/"false"), date, datetime, year, integer,
    float, reference, object, metadata. `many` makes it an array. `source` names the canonical field (CSV 1.2
    column or derived list) it is rendered from. `target` is the collection a reference's href points into,
    `word` the `type` it states. `members` are those of an object. `compare` says how filters compare it:
    folded (without case), exact (ids, byte for byte), or by its type (date, datetime, float…). A record
    without a value shows that of the canonical field `default_source`, else `default`, else leaves the member
    out; for an array, any default means an empty one. A reference's own members are href, sourcedId and type.
    """

    name: str
    type: str = "string"
    required: bool = False
    many: bool = False
    source: str = ""
    vocabulary: Vocabulary | None = None
    target: str | None = None
    word: str | None = None
    members: tuple["Member", ...] = ()
    compare: str = "folded"
    default: str | None = None
    default_source: str = ""

    def member(self, name: str) -> "Member | None":
        return next((member for member in self.members if member.name == name), None)


@dataclass(frozen=True)
class Entity:
    """One kind of object of the REST binding in one version: its wrapper keys and its members in the order
    they are rendered.

    `unseen` are members that a reader may not ask about, as `metadata.house` where it is one of the metadata.
    """

    version: str
    name: str
    collection: str
    members: tuple[Member, ...]
    unseen: frozenset[str] = frozenset()

    def member(self, name: str) -> Member | None:
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Member]:
        return {member.name: member for member in self.members}


@dataclass(frozen=True)
class Operation:
    """One operation of the REST binding: `path` is below the service's base, `key` the wrapper of the answer.

    `kind` is collection, single, put, post or delete. `scopes` are short names, any one of which opens it.
    `collection` is the entity's collection (users for /students); `served` is false for services a server of
    this version does not offer yet.
    """

    version: str
    service: str
    method: str
    path: str
    operation_id: str
    kind: str
    scopes: tuple[str, ...]
    key: str | None
    collection: str | None
    request_key: str | None = None
    success: int = 200
    served: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the ids in the path, in order: parents first, `sourcedId` for the record itself."""
        return tuple(re.findall(r"{(\w+)}", self.path))
