"""Whom a person may import: staff whom the settings want, and who are nobody's members yet."""

from dataclasses import dataclass

from rollbook.engine.sync.operations import CREATE
from rollbook.engine.sync.planning import open_classes, think
from rollbook.engine.sync.policy import Policy
from rollbook.engine.sync.roster import Person
from rollbook.engine.sync.who import teaching
from rollbook.engine.sync.world import World
from rollbook.oneroster.folding import fold


@dataclass(frozen=True)
class Candidate:
    """`roles` are the local roles the settings would give, `sites` handles, `classes` sourcedIds of the classes they teach today."""

    source_id: str
    person: Person
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    classes: tuple[str, ...]


def candidates(world: World, policy: Policy) -> list[Candidate]:
    """In order of their names. Whoever was recognised among the members, or is a Case, is not among them."""
    thought = think(world, policy)
    taught = thought.taught or teaching(thought.draft, open_classes(thought.states))
    new = {aim.source_id for aim in thought.people.aims if aim.action == CREATE}
    found = [
        Candidate(
            source_id,
            world.roster.people[source_id],
            thought.people.stands[source_id].roles,
            thought.people.stands[source_id].sites,
            tuple(sorted(taught.classes_of.get(source_id, ()))),
        )
        for source_id in new | set(thought.people.not_created)
        if thought.people.stands[source_id].staff
    ]
    return sorted(found, key=_by_name)


def _by_name(one: Candidate) -> tuple[str, str, str]:
    return fold(one.person.family_name), fold(one.person.given_name), one.source_id
