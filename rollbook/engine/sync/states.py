"""How each site, person and class of a source stands in a directory: as which record, in which state, and why not, where it is so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rollbook.engine.sync.operations import GROUPS, MEMBERS, SITES
from rollbook.engine.sync.planning import Thought, think
from rollbook.engine.sync.policy import Policy
from rollbook.engine.sync.world import World

ABSENT = "absent"
"""The state of a record of the source that is none of the directory."""


@dataclass(frozen=True, slots=True)
class State:
    """`record` is the directory's id, empty where there is none; `state` its state there, or ABSENT; `reasons` are codes.

    `missing_since` is a day: the source has it no longer, and it waits.
    """

    kind: str
    source_id: str
    record: str
    state: str
    reasons: tuple[str, ...] = ()
    missing_since: str = ""


def states(world: World, policy: Policy) -> Iterator[State]:
    """By kind, and within a kind by sourcedId: what the source has, and what it had and is linked still."""
    thought = think(world, policy)
    reasons = _reasons(thought)
    for kind, there in _there(thought, policy).items():
        for source_id in sorted({*there, *world.links.of(kind)}):
            yield _state(thought, kind, source_id, reasons.get((kind, source_id), set()))


def _there(thought: Thought, policy: Policy) -> dict[str, set[str]]:
    """What the source has; without orgs that are no schools, and without classes where none are synced."""
    roster = thought.draft.world.roster
    schools = {one for one, org in roster.orgs.items() if org.type in policy.schools.types}
    return {
        SITES: schools,
        MEMBERS: set(roster.people),
        GROUPS: set(roster.classes) if policy.classes.sync else set(),
    }


def _reasons(thought: Thought) -> Mapping[tuple[str, str], set[str]]:
    said = [(one.kind, one.source_id, one.code) for one in thought.draft.remarks.values()]
    asked = [(one.kind, one.source_id, one.code) for one in thought.draft.cases.values()]
    found: dict[tuple[str, str], set[str]] = {}
    for kind, source_id, code in (*said, *asked):
        found.setdefault((kind, source_id), set()).add(code)
    return found


def _state(thought: Thought, kind: str, source_id: str, reasons: set[str]) -> State:
    draft = thought.draft
    link, why = draft.link(kind, source_id), draft.gone(kind, source_id)
    record = draft.record(kind, link.target) if link else None
    return State(
        kind,
        source_id,
        record.id if record else "",
        record.state if record else ABSENT,
        tuple(sorted(reasons | ({why} if why else set()))),
        link.missing_since if link else "",
    )
