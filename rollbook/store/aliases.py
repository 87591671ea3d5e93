"""Ids an app knows records by instead of their sourcedIds: a question that names them is turned into one that names the records themselves.

What is answered bears aliases already, because a view that has them keeps texts of its own (`store.circumstances`).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from rollbook.engine.masks import Masker
from rollbook.engine.scope import Rule
from rollbook.oneroster.filters import AllOf, AnyOf, BadQuery, Clause, Path
from rollbook.oneroster.query import Question
from rollbook.oneroster.treatments import SOURCED_ID, domain_of, replaced_in
from rollbook.store.circumstances import masker_of
from rollbook.store.models import Grant, MaskKey
from rollbook.store.nested import PARENTS
from rollbook.store.visibility import WHOLE_ROSTER, Reader

NOBODY = ""
"""The sourcedId of no record: what an id turns into that is no alias. PostgreSQL can be asked for it."""


@dataclass(frozen=True)
class Aliases:
    """How one grant's aliases are read. `replaced` are the collections whose ids they stand for."""

    masker: Masker
    replaced: frozenset[str]

    def real(self, given: str, domain: str) -> str:
        return self.masker.real(given, domain) or NOBODY if domain in self.replaced else given


def turned(reader: Reader, question: Question) -> Question:
    """The question in the ids of the roster. Raises BadQuery where it asks for the order or a part of an alias, which say nothing."""
    aliases = _aliases(reader.grant_id, reader.grant_version) if reader.view_id != WHOLE_ROSTER else None
    if aliases is None:
        return question
    return replace(
        question,
        parents=_parents(aliases, question),
        filter=_filter(aliases, question),
        sort=None if question.sort and _domain(aliases, question, question.sort.path) else question.sort,
    )


def has_former_names(reader: Reader) -> bool:
    """Whether the reader's view may hold tombstones of records under ids that they bear no more."""
    return reader.view_id != WHOLE_ROSTER and _has_masked(reader.grant_id, reader.grant_version)


def forget_aliases() -> None:
    _aliases.cache_clear()
    _has_masked.cache_clear()


def _parents(aliases: Aliases, question: Question) -> tuple[str, ...]:
    words = question.operation.path.split("/")[1::2]
    domains = [PARENTS[word][0] if word in PARENTS else word for word in words]
    if question.operation.kind == "single":
        domains[-1] = domain_of(question.operation.collection or "")
    return tuple(
        aliases.real(given, domain) for given, domain in zip(question.parents, domains, strict=False)
    )


def _filter(aliases: Aliases, question: Question) -> AnyOf | None:
    if question.filter is None:
        return None
    groups = (
        tuple(_clause(aliases, question, clause) for clause in group.clauses)
        for group in question.filter.groups
    )
    return AnyOf(tuple(AllOf(clauses) for clauses in groups))


def _clause(aliases: Aliases, question: Question, clause: Clause) -> Clause:
    domain = _domain(aliases, question, clause.path)
    if not domain or clause.path.many:
        # What may be several is looked for in the text served, which bears aliases.
        return clause
    if clause.predicate not in ("=", "!="):
        raise BadQuery(
            "invalid_filter_field", f"{clause.path.text} can only be compared by = and !=.", "filter"
        )
    return replace(clause, operands=tuple(aliases.real(str(one), domain) for one in clause.operands))


def _domain(aliases: Aliases, question: Question, path: Path) -> str:
    """The collection whose aliases stand at this path; empty where none do."""
    if path.names == (SOURCED_ID,):
        domain = domain_of(question.operation.collection or "")
    else:
        member = question.entity.member(path.names[0])
        domain = (member.target or "") if member and path.names[1:] == (SOURCED_ID,) else ""
    return domain if domain in aliases.replaced else ""


@lru_cache(maxsize=1024)
def _aliases(grant_id: int, grant_version: int) -> Aliases | None:
    """Kept by the version of the grant, with which its rule changes."""
    grant = Grant.objects.filter(pk=grant_id).first()
    replaced = replaced_in(Rule.parse(grant.rule).treatments) if grant else frozenset()
    return Aliases(masker_of(grant), replaced) if grant and replaced else None


@lru_cache(maxsize=1024)
def _has_masked(grant_id: int, grant_version: int) -> bool:
    return MaskKey.objects.filter(grant_id=grant_id).exists()
