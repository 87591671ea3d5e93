"""Whom a person may import: staff whom the settings want, and who are nobody's members yet."""

from dataclasses import dataclass

from rollbook.engine.sync.operations import CREATE
from rollbook.engine.sync.planning import open_classes, think
from rollbook.engine.sync.policy import Policy
from rollbook.engine.sync.roster import Person, holds_on
from rollbook.engine.sync.who import teaching
from rollbook.engine.sync.world import World
from rollbook.oneroster.folding import fold


@dataclass(frozen=True)
class Candidate:
    """`roster_roles` are what the roster says they are today, `roles` the local roles the settings would give, `sites` handles, `classes`
    sourcedIds of the classes they teach today.
    """

    source_id: str
    person: Person
    roster_roles: tuple[str, ...]
    roles: tuple[str, ...]
    sites: tuple[str, ...]
    classes: tuple[str, ...]


def candidates(world: World, policy: Policy) -> list[Candidate]:
    """In order of their names. Whoever was recognised among the members, or is a Case, is not among them."""
    thought = think(world, policy)
    taught = thought.taught or teaching(thought.draft, open_classes(thought.states))
    new = {aim.source_id for aim in thought.people.aims if aim.action == CREATE}
    default = policy.roles.default_for_new
    found = [
        Candidate(
            source_id,
            world.roster.people[source_id],
            _today(world, world.roster.people[source_id]),
            # Where new staff are given a role of their own, theirs are not mapped.
            (default,) if default else thought.people.stands[source_id].roles,
            thought.people.stands[source_id].sites,
            tuple(sorted(taught.classes_of.get(source_id, ()))),
        )
        for source_id in new | set(thought.people.not_created)
        if thought.people.stands[source_id].staff
    ]
    return sorted(found, key=_by_name)


def _today(world: World, person: Person) -> tuple[str, ...]:
    """What the roster says somebody is, the primary role first, each once."""
    posts = [post for post in person.posts if holds_on(world.today, post.begins, post.ends)]
    return tuple(dict.fromkeys(post.role for post in sorted(posts, key=lambda post: not post.primary)))


def _by_name(one: Candidate) -> tuple[str, str, str]:
    return fold(one.person.family_name), fold(one.person.given_name), one.source_id
