"""What a reader may not filter or sort by: members whose fields its grant omits, masks or replaces. Asking by the value would tell it."""

from functools import lru_cache

from rollbook.engine.scope import Rule
from rollbook.oneroster.filters import BadQuery, Path, is_unseen
from rollbook.oneroster.query import Question
from rollbook.oneroster.spec import Operation
from rollbook.oneroster.treatments import unseen
from rollbook.store.models import Grant
from rollbook.store.visibility import WHOLE_ROSTER, Reader


def unseen_by(reader: Reader, operation: Operation) -> frozenset[str]:
    """The members of what this operation serves that the reader may not ask about."""
    if reader.view_id == WHOLE_ROSTER or operation.collection is None:
        return frozenset()
    return _unseen(reader.grant_id, reader.grant_version, operation.collection, operation.version)


def refuse_unseen(reader: Reader, question: Question) -> None:
    """Raises BadQuery where the question asks by what its reader may not ask about, whichever way it came to be."""
    hidden = unseen_by(reader, question.operation)
    if not hidden:
        return
    groups = question.filter.groups if question.filter else ()
    _refuse(
        [clause.path for group in groups for clause in group.clauses],
        hidden,
        "invalid_filter_field",
        "filter",
    )
    _refuse([question.sort.path] if question.sort else [], hidden, "invaliddata", "sort")


def forget_unseen() -> None:
    _unseen.cache_clear()


def _refuse(paths: list[Path], hidden: frozenset[str], kind: str, parameter: str) -> None:
    for path in paths:
        if is_unseen(path, hidden):
            raise BadQuery(kind, f"{path.text} is not shown to this app.", parameter)


@lru_cache(maxsize=1024)
def _unseen(grant_id: int, grant_version: int, collection: str, version: str) -> frozenset[str]:
    """Kept by the version of the grant, with which its rule changes."""
    rule = Grant.objects.values_list("rule", flat=True).filter(pk=grant_id).first()
    return (
        unseen(collection, version, Rule.parse(rule).treatments.get(collection, ())) if rule else frozenset()
    )
