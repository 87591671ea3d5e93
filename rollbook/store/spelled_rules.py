"""Permissions as programs outside read and write them: the JSON of a rule, in which records are named by their served sourcedIds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rollbook.engine.scope import BadRule, Rule, rule_of
from rollbook.store.bulk import listed
from rollbook.store.models import RECORDS
from rollbook.store.visibility import record_ids

Json = dict[str, Any]
Turn = Callable[[str, Iterable[Any]], list[Any]]


def spelled(district_id: int, rule: Rule) -> Json:
    """The rule with sourcedIds; what is no longer in the roster is left out."""

    def named(collection: str, ids: Iterable[int]) -> list[str]:
        records = RECORDS[collection]._default_manager.filter(district_id=district_id, id__in=listed(ids))
        return sorted(records.values_list("sourced_id", flat=True))

    return _turned(rule.as_json(), named)


def read(district_id: int, spelled_rule: Mapping[str, Any]) -> Rule:
    """The rule of such JSON. Raises BadRule, UnknownSchool, UnknownCourse, UnknownClass."""

    def numbered(collection: str, sourced_ids: Iterable[Any]) -> list[int]:
        for one in sourced_ids:
            if not isinstance(one, str):
                raise BadRule(f"{collection}: {one}")
        return list(record_ids(district_id, collection, sourced_ids))

    # Read twice: what has no form of a rule is refused before anything in it is looked up.
    rule_of(_turned(spelled_rule, lambda _, names: list(range(len(list(names))))))
    return rule_of(_turned(spelled_rule, numbered))


def _turned(stored: Mapping[str, Any], turn: Turn) -> Json:
    scopes = stored.get("scopes", ())
    if not isinstance(scopes, list | tuple):
        return dict(stored)
    return {**stored, "scopes": [_turned_scope(scope, turn) for scope in scopes]}


def _turned_scope(scope: Any, turn: Turn) -> Any:
    if not isinstance(scope, Mapping):
        return scope
    turned = dict(scope)
    for part in ("orgs", "courses"):
        choice = scope.get(part)
        if isinstance(choice, Mapping):
            names = {name: choice[name] for name in ("ids", "below") if isinstance(choice.get(name), list)}
            turned[part] = {**choice, **{name: turn(part, some) for name, some in names.items()}}
    if isinstance(scope.get("classes"), list):
        turned["classes"] = turn("classes", scope["classes"])
    return turned
