"""The pages on which permissions are chosen, one after the other: type, organizations, courses (or classes), fields, and the look before saving.

One walk serves adding an app and editing one. Every button sends the whole form; which one was pressed says where it goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from rollbook.console import drafts
from rollbook.console.drafts import Draft
from rollbook.console.field_choices import field_groups
from rollbook.console.levels import levels_of
from rollbook.console.picking import picking_of, ticked
from rollbook.console.places import links, place_of
from rollbook.console.querying import asked_of, found_by_queries, typed_queries
from rollbook.console.scopes import LEVELS, TOGGLES, TREATMENTS, rule_words
from rollbook.console.words import COLLECTIONS
from rollbook.engine.choosing import check
from rollbook.engine.scope import Level, Rule
from rollbook.flows.apps import NoSuchGrant, find_grant
from rollbook.flows.catalogue import needs_of
from rollbook.refusal import Refusal
from rollbook.store.models import App, District, Grant
from rollbook.store.reference import for_reference

STEPS = {
    "type": _("Permission type"),
    "orgs": COLLECTIONS["orgs"],
    "courses": COLLECTIONS["courses"],
    "classes": COLLECTIONS["classes"],
    "fields": _("Fields"),
    "confirm": _("Confirm"),
}

STAY = ("copy", "search", "choose-found", "drop-found", "page", "more")
"""Buttons that show the same page again."""


class BadDraft(SuspiciousOperation):
    """A form came that none of our pages sent."""


@dataclass(frozen=True)
class Desk:
    """Where permissions are worked at: of which app, of which grant (None while the app is being added), and where its pages are sent."""

    district: District
    app: App
    grant: Grant | None
    url: str
    look: Callable[[Draft], dict[str, Any]]
    finish: Callable[[Draft], HttpResponse]

    @property
    def template(self) -> str:
        return "console/permission_edit.html" if self.grant else "console/app_add_walk.html"


def walk(request: HttpRequest, desk: Desk, begin: Draft) -> HttpResponse:
    """The page that comes next; with the last button, what `desk.finish` answers."""
    if request.method != "POST":
        return _page(request, desk, begin, "type")
    draft, step = _draft_or_400(request), request.POST.get("step", "")
    if step not in STEPS:
        raise BadDraft(step)
    try:
        draft = _merged(request, desk, draft, step)
        go = request.POST.get("go", "")
        if go == "save":
            return desk.finish(draft)
        if go == "copy":
            draft = _copied(desk, draft, request.POST.get("copy_from", ""))
        return _page(request, desk, *_next(desk, draft, step, go))
    except Refusal as refusal:
        about = f" ({refusal})" if str(refusal) else ""
        return _page(request, desk, draft, step, wrong=refusal.words + about)


def _draft_or_400(request: HttpRequest) -> Draft:
    try:
        return drafts.carried(request.POST.get("draft", ""))
    except (Refusal, ValueError, TypeError, KeyError) as fault:
        raise BadDraft from fault


def _merged(request: HttpRequest, desk: Desk, draft: Draft, step: str) -> Draft:
    """The draft with what this page says. Raises BadCondition."""
    typed = request.POST
    if step == "type":
        return drafts.with_type(draft, typed)
    if step == "fields":
        return drafts.with_fields(draft, typed)
    if step == "confirm":
        return drafts.with_end(draft, typed)
    ticks = ticked(desk.district, step, drafts.ticks_of(draft.scope, step), typed)
    queries = () if step == "classes" else typed_queries(typed)
    if step != "classes":
        check(step, queries)
    return drafts.with_choice(draft, step, ticks, queries, typed.get("extent") == "all")


def _next(desk: Desk, draft: Draft, step: str, go: str) -> tuple[Draft, str]:
    """Which page comes after this one by this button, and what the draft is there."""
    act, _colon, number = go.partition(":")
    needs = needs_of(desk.app)
    if act in STAY:
        return draft, step
    if act in STEPS:
        return draft, act
    if act == "add-rule":
        return drafts.with_one_more_rule(draft, needs), "type"
    if act in ("rule", "drop-rule") and number.isascii() and number.isdecimal():
        turn = drafts.at_rule if act == "rule" else drafts.without_rule
        return turn(draft, int(number[:4])), "type"
    if act == "back":
        return draft, _before(draft, step)
    return draft, _after(draft, step)


def _copied(desk: Desk, draft: Draft, number: str) -> Draft:
    """The permissions of another app of the district; days and reason stay. Raises NoSuchGrant."""
    other = find_grant(int(number)) if number.isascii() and number.isdecimal() and len(number) < 19 else None
    if other is None or other.district_id != desk.district.pk:
        raise NoSuchGrant(number[:20])
    beside = {name: getattr(draft, name) for name in ("starts_on", "ends_on", "why", "enabled", "version")}
    return drafts.draft_of(Rule.parse(other.rule), needs_of(desk.app), **beside)


def steps_of(draft: Draft) -> list[str]:
    """The pages of this draft, in order; that of the fields is entered when asked for."""
    if draft.level is not Level.BASIC:
        return ["type", "confirm"]
    chosen = ["orgs", "courses"] if draft.scope.classes is None else ["classes"]
    return ["type", *chosen, "confirm"]


def _after(draft: Draft, step: str) -> str:
    steps = steps_of(draft)
    return steps[min(steps.index(step) + 1, len(steps) - 1)] if step in steps else "confirm"


def _before(draft: Draft, step: str) -> str:
    steps = steps_of(draft)
    return steps[max(steps.index(step) - 1, 0)] if step in steps else "confirm"


def _page(request: Any, desk: Desk, draft: Draft, step: str, wrong: str = "") -> HttpResponse:
    context = {
        "nav": "apps",
        "grant": desk.grant,
        "app": desk.app,
        "place": place_of("app-permissions"),
        "links": links(request, desk.grant) if desk.grant else [],
        "url": desk.url,
        "draft": draft,
        "carried": draft.text(),
        "step": step,
        "heading": STEPS[step],
        "steps": [(name, STEPS[name]) for name in steps_of(draft)],
        "body": f"console/permission_{'pick' if step in drafts.PARTS else step}.html",
        "wrong": wrong,
        **_context(request, desk, draft, step),
    }
    return render(request, desk.template, context, status=422 if wrong else 200)


def _context(request: HttpRequest, desk: Desk, draft: Draft, step: str) -> dict[str, Any]:
    if step == "type":
        return _type_context(request, desk, draft)
    if step == "fields":
        return {"groups": field_groups(desk.app, draft.fields), "treatments": TREATMENTS.items()}
    if step == "confirm":
        return {
            "words": rule_words(desk.district, draft.rule),
            "levels": levels_of(draft.rule),
            **desk.look(draft),
        }
    return _pick_context(request, desk, draft, step)


def _type_context(request: Any, desk: Desk, draft: Draft) -> dict[str, Any]:
    others = Grant.objects.filter(district=desk.district, removed_at=None).select_related("app")
    if desk.grant:
        others = others.exclude(pk=desk.grant.pk)
    return {
        "levels": [(level, *LEVELS[level]) for level in Level],
        "toggles": [(name, *TOGGLES[name], getattr(draft.scope, name)) for name in drafts.SCOPE_TOGGLES],
        "deleted": TOGGLES["deleted"],
        "guardians": TOGGLES["guardians"],
        "stack": rule_words(desk.district, replace(draft, level=Level.BASIC).rule).scopes,
        "others": sorted(others, key=lambda one: one.title.casefold()),
    }


def _pick_context(request: HttpRequest, desk: Desk, draft: Draft, step: str) -> dict[str, Any]:
    ticks = drafts.ticks_of(draft.scope, step)
    # Only a page that was searched on says what to look for; the one before it may have had a search of its own.
    typed = request.POST if request.POST.get("step") == step else type(request.POST)("")
    alone = Rule(Level.BASIC, (replace(draft.scope, classes=None),))
    reference = for_reference(desk.district.pk, alone) if step == "orgs" else frozenset()
    context = {"picking": picking_of(desk.district, step, ticks, typed, reference), "collection": step}
    if step == "classes":
        return context
    choice = getattr(draft.scope, step)
    return context | {
        "choice": choice,
        "asked": asked_of(step, choice.queries),
        "found": found_by_queries(desk.district, step, choice.queries) if choice.queries else None,
    }
