"""Why a record of the source is what it is in the directory: step by step, from what was read to the operations a plan would have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rollbook.engine.sync.aims import Aim, resolved
from rollbook.engine.sync.draft import text
from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, SITES, Operation, Value
from rollbook.engine.sync.planning import Thought, make_plan, think
from rollbook.engine.sync.policy import Policy
from rollbook.engine.sync.roster import Org, Person, Roster, TaughtClass, holds_on
from rollbook.engine.sync.schools import place_of
from rollbook.engine.sync.world import Focus, World


@dataclass(frozen=True)
class Step:
    """`code` is read, school, roles, wanted, match, merge, lifecycle or operation; `facts` are its particulars, as text."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


def explain(world: World, policy: Policy, kind: str, source_id: str) -> list[Step]:
    """The steps, in order. `kind` is sites, members or groups."""
    focused = replace(world, focus=_focus(kind, source_id))
    thought = think(focused, policy)
    written: list[Operation] = []
    make_plan(focused, policy, written.append)
    return [
        _read(thought, kind, source_id),
        *OF_KIND[kind](thought, source_id),
        *_matched(thought, kind, source_id),
        *_merged(thought, kind, source_id),
        *_lifecycle(thought, kind, source_id),
        *_operations(thought, kind, source_id, written),
    ]


def _focus(kind: str, source_id: str) -> Focus:
    one = frozenset({source_id})
    if kind == MEMBERS:
        return Focus(people=one)
    return Focus(classes=one) if kind == GROUPS else Focus(schools=one)


def _read(thought: Thought, kind: str, source_id: str) -> Step:
    record = _record(thought.draft.world.roster, kind, source_id)
    if record is None:
        return Step("read", {"there": thought.draft.gone(kind, source_id) or "not seen"})
    return Step("read", {"there": "yes", "line": str(record.line or "")})


def _record(roster: Roster, kind: str, source_id: str) -> Org | Person | TaughtClass | None:
    if kind == MEMBERS:
        return roster.people.get(source_id)
    return roster.classes.get(source_id) if kind == GROUPS else roster.orgs.get(source_id)


# --- What the settings make of it ---


def _of_site(thought: Thought, source_id: str) -> Iterator[Step]:
    place = thought.places.get(source_id)
    if place:
        yield Step("school", {"state": place.state, "site": place.site})


def _of_person(thought: Thought, source_id: str) -> Iterator[Step]:
    draft, person = thought.draft, thought.draft.world.roster.people.get(source_id)
    if person is None:
        return
    for post in person.posts:
        place = place_of(draft, post.org, thought.places)
        yield Step(
            "school",
            {
                "org": post.org,
                "role": post.role,
                "today": _yes(holds_on(draft.world.today, post.begins, post.ends)),
                "becomes": draft.policy.roles.map.get(post.role, ""),
                "state": place.state if place else "not seen",
                "site": place.site if place else "",
            },
        )
    stands = thought.people.stands[source_id]
    yield Step(
        "roles", {"roles": shown(stands.roles), "sites": shown(stands.sites), "staff": _yes(stands.staff)}
    )
    verdict = thought.people.verdicts[source_id]
    yield Step("wanted", {"state": verdict.state, "code": verdict.code})


def _of_class(thought: Thought, source_id: str) -> Iterator[Step]:
    one = thought.draft.world.roster.classes.get(source_id)
    if one is None:
        return
    place = place_of(thought.draft, one.school, thought.places)
    yield Step(
        "school",
        {"org": one.school, "state": place.state if place else "", "site": place.site if place else ""},
    )
    yield Step("wanted", {"state": thought.classes.states.get(source_id, thought.states[source_id])})


OF_KIND = {SITES: _of_site, MEMBERS: _of_person, GROUPS: _of_class}


# --- Who it is, and what becomes of it ---


def _matched(thought: Thought, kind: str, source_id: str) -> Iterator[Step]:
    draft = thought.draft
    link, decision = draft.link(kind, source_id), draft.decision(kind, source_id)
    facts = {"link": link.target if link else "", "decision": decision.action if decision else ""}
    aim = _aim(thought, kind, source_id)
    if aim and aim.action:
        facts |= {"by": aim.reason, "target": aim.handle, "before": aim.old}
    yield Step("match", facts)
    for case in draft.cases.values():
        if (case.kind, case.source_id) == (kind, source_id):
            yield Step(
                "match", {"case": case.code, "field": case.field, "candidates": ", ".join(case.candidates)}
            )
    for remark in draft.remarks.values():
        if (remark.kind, remark.source_id) == (kind, source_id):
            yield Step("wanted", {"code": remark.code, "field": remark.field})


def _merged(thought: Thought, kind: str, source_id: str) -> Iterator[Step]:
    aim = _aim(thought, kind, source_id)
    if aim is None or aim.record is None:
        return
    known = resolved(thought.draft, kind, aim.link.base) if aim.link else {}
    for name, says in aim.source.items():
        said, has = known.get(name, ""), aim.present.get(name, "")
        by_hand = thought.draft.override(kind, aim.handle, name)
        if says == said == has and not by_hand:
            continue
        facts = {"field": name, "rule": thought.draft.policy.fields.of(kind, name)}
        facts |= {"said": shown(said), "says": shown(says), "has": shown(has)}
        facts["by hand"] = shown(by_hand.value) if by_hand else ""
        yield Step("merge", facts | {"becomes": shown(aim.after.get(name, has))})


def _lifecycle(thought: Thought, kind: str, source_id: str) -> Iterator[Step]:
    draft, link = thought.draft, thought.draft.link(kind, source_id)
    record = draft.record(kind, link.target) if link else None
    if link is None:
        return
    yield Step(
        "lifecycle",
        {
            "state": record.state if record else "not there",
            "missing since": link.missing_since,
            "reads": str(link.missing_reads),
            "by hand": draft.state_by_hand(kind, link.target),
        },
    )


def _operations(thought: Thought, kind: str, source_id: str, written: list[Operation]) -> Iterator[Step]:
    link = thought.draft.link(kind, source_id)
    own = {link.target if link else "", *(aim.handle for aim in _aims(thought, kind, source_id))} - {""}
    for one in written:
        belongs = one.kind == MEMBERSHIPS and own & {
            text(fields, name) for fields in (one.before, one.after) for name in ("member", "group")
        }
        if belongs or (one.kind, one.source_id) == (kind, source_id):
            facts = {"action": one.action, "kind": one.kind, "target": one.target, "reason": one.reason}
            yield Step("operation", facts | {"changed": ", ".join(one.changed)})


def _aims(thought: Thought, kind: str, source_id: str) -> list[Aim]:
    aims = {MEMBERS: thought.people.aims, GROUPS: thought.classes.aims}.get(kind, [])
    return [aim for aim in aims if aim.source_id == source_id]


def _aim(thought: Thought, kind: str, source_id: str) -> Aim | None:
    return next(iter(_aims(thought, kind, source_id)), None)


def shown(value: Value) -> str:
    """A value as text."""
    if isinstance(value, bool):
        return _yes(value)
    return ", ".join(value) if isinstance(value, tuple) else value


def _yes(value: bool) -> str:
    return "yes" if value else "no"
