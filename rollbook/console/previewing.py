"""What an edit of permissions would do, as the page before saving shows it: what comes and goes, where, and three people as it sees them."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from rollbook.console.drafts import Draft, days_of
from rollbook.console.words import COLLECTIONS
from rollbook.engine.approval import DEMOGRAPHICS, FULL, PEOPLE
from rollbook.engine.needs import Need
from rollbook.engine.scope import Level, Rule, Treatment
from rollbook.flows.catalogue import needs_of
from rollbook.flows.permission_edits import preview_permissions, rule_now
from rollbook.refusal import Refusal
from rollbook.store.foresight import Example
from rollbook.store.models import Grant

REASONS = {
    FULL: _("it lets the app see everything"),
    DEMOGRAPHICS: _("it adds demographics"),
    PEOPLE: _("it adds many people"),
}


@dataclass(frozen=True)
class ShownExample:
    """A person as the app sees them now and as it would; empty where it does not."""

    sourced_id: str
    before: str
    after: str


def look_at(grant: Grant, draft: Draft) -> dict[str, Any]:
    """The context of the page before saving; `grant` may be one that is not saved yet."""
    try:
        preview = preview_permissions(grant, draft.rule, days_of(draft))
    except Refusal as refusal:
        return {"not_shown": f"{refusal.words} ({refusal})", "lacking": lacking(grant, draft.rule)}
    return {
        "preview": preview,
        "counts": [(COLLECTIONS.get(one.collection, one.collection), one) for one in preview.counts],
        "examples": [_shown(example) for example in preview.examples],
        "reasons": [REASONS[reason] for reason in preview.reasons],
        "lacking": lacking(grant, draft.rule),
        "is_same": not grant._state.adding and rule_now(grant) == draft.rule,
    }


def _shown(example: Example) -> ShownExample:
    return ShownExample(example.sourced_id, _text(example.before), _text(example.after))


def _text(record: dict[str, Any] | None) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) if record else ""


def lacking(grant: Grant, rule: Rule) -> list[Need]:
    """What the app's maker says it does not work without, and this rule keeps from it."""
    return [need for need in needs_of(grant.app) if need.is_required and _is_kept(need, rule)]


def _is_kept(need: Need, rule: Rule) -> bool:
    if rule.level is Level.NONE:
        return True
    if need.collection in ("demographics", "resources"):
        toggled = any(getattr(scope, need.collection) for scope in rule.scopes)
        return not toggled
    treated = rule.treatments.get(need.collection, {}).get(need.field, Treatment.SHARE)
    return bool(need.field) and treated in (Treatment.OMIT, Treatment.MASK)
