"""What a person's posts come to on a day: which of them count, the local roles under the ceiling, and the sites."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rollbook.engine.sync.aims import ordered
from rollbook.engine.sync.draft import Draft, words
from rollbook.engine.sync.policy import NEVER_MAPPED
from rollbook.engine.sync.roster import Person, Post, holds_on
from rollbook.engine.sync.schools import ELSEWHERE, HELD, WANTED, Places, place_of
from rollbook.engine.sync.target import Record

STUDENT, TEACHER = "student", "teacher"


@dataclass(frozen=True, slots=True)
class Standing:
    """`staff`: some post that counts is not a student's. `unsure`: some post is where nobody has decided yet, or at an org not seen.

    `code` says why no post counts. `frozen` are sites of which nothing is known today.
    """

    staff: bool = False
    teacher: bool = False
    roles: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    orgs: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    counts: bool = False
    unsure: bool = False
    code: str = ""


def standing(draft: Draft, person: Person, places: Mapping[str, Places]) -> Standing:
    """What a person is, as far as this sync is concerned."""
    today = draft.world.today
    holding = [post for post in person.posts if holds_on(today, post.begins, post.ends)]
    known = [post for post in holding if _is_mapped(draft, post)]
    if not known:
        return _nobody(_why_none(person, holding))
    at = [(post, place_of(draft, post.org, places)) for post in known]
    counting = [(post, place) for post, place in at if place and place.state in (WANTED, ELSEWHERE)]
    unsure = any(place is None or place.state == HELD for _, place in at)
    frozen = _frozen(place for _, place in at if place and place.state == HELD)
    if not counting:
        return Standing(
            unsure=unsure,
            frozen=frozen,
            code="school-held" if unsure else "school-ignored",
            staff=any(post.role != STUDENT for post in known),
        )
    return Standing(
        staff=any(post.role != STUDENT for post, _ in counting),
        teacher=any(post.role == TEACHER for post, _ in counting),
        roles=_local(draft, [post for post, _ in counting]),
        sites=_sites(person, counting),
        orgs=tuple(sorted({post.org for post, _ in counting})),
        frozen=frozen,
        counts=True,
        unsure=unsure,
    )


def _frozen(held: Iterable[Places]) -> tuple[str, ...]:
    return tuple(sorted({site for place in held for site in (place.site, *place.by_grade.values()) if site}))


@lru_cache
def _nobody(code: str) -> Standing:
    """One for all of whom no post counts for the same reason: half of a roster may be guardians."""
    return Standing(code=code)


def _is_mapped(draft: Draft, post: Post) -> bool:
    chosen = draft.policy.people.roles
    return (
        post.role not in NEVER_MAPPED
        and post.role in draft.policy.roles.map
        and (not chosen or post.role in chosen)
    )


def _why_none(person: Person, holding: list[Post]) -> str:
    if not person.posts:
        return "no-role"
    if not holding:
        return "role-over"
    if all(post.role in NEVER_MAPPED for post in holding):
        return "never-a-member"
    return "role-not-mapped"


def _sites(person: Person, counting: list[tuple[Post, Places]]) -> tuple[str, ...]:
    found = {
        place.site_for(person.grades) if post.role == STUDENT else place.site for post, place in counting
    }
    return tuple(sorted(found - {""}))


def _local(draft: Draft, posts: list[Post]) -> tuple[str, ...]:
    found = {draft.policy.roles.map[post.role] for post in posts} - {""}
    if not found and draft.policy.roles.default:
        found = {draft.policy.roles.default}
    return ordered(draft, "roles", {_capped(draft, role) for role in found} - {""})


def _capped(draft: Draft, role: str) -> str:
    """A role under the ceiling. One that the organization does not have becomes nothing."""
    ranks = {one: rank for rank, one in enumerate(draft.world.roles)}
    ceiling = draft.policy.roles.ceiling
    if not ranks:
        return role
    if role not in ranks:
        return ""
    return ceiling if ceiling in ranks and ranks[role] < ranks[ceiling] else role


def pupil_roles(draft: Draft) -> frozenset[str]:
    """The local roles of pupils."""
    return frozenset({STUDENT, draft.policy.roles.map.get(STUDENT) or STUDENT})


def is_pupil(draft: Draft, record: Record) -> bool | None:
    """Whether a member is a pupil; None for one without a role."""
    roles = words(record.fields, "roles")
    return set(roles) <= pupil_roles(draft) if roles else None


def grace_of(draft: Draft, record: Record | None) -> int:
    """For how many days a member may be missing; who has no role is not taken for a pupil."""
    grace = draft.policy.grace
    return grace.students if record and is_pupil(draft, record) else grace.staff
