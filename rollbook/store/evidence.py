"""Evidence: what the roster and a grant's rule say of one person or class, as `engine.explaining` wants to know it. It only reads."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from rollbook.engine.explaining import GUARDIANS, Chosen, Person, Place, Post, Seat, Sharing, Taught
from rollbook.engine.scope import Level, Rule, Scope
from rollbook.store.chosen import chosen
from rollbook.store.models import Class, Course, Enrollment, Grant, OptOut, Org, Role, User

ACTIVE = "active"


def sharing_of(grant: Grant, today: str) -> Sharing:
    """The grant, with what its choices come to in the roster as it is now. `today` is the district's date, `YYYY-MM-DD`."""
    rule = Rule.parse(grant.rule)
    with connection.cursor() as cursor:
        sets = tuple(_chosen(cursor, grant.district_id, one, rule) for one in rule.scopes)
    return Sharing(
        rule=rule,
        chosen=sets,
        places=places_of(grant.district_id),
        removed=grant.removed_at is not None,
        enabled=grant.enabled,
        starts_on=grant.starts_on,
        ends_on=grant.ends_on,
        today=today,
    )


def _chosen(cursor: CursorWrapper, district_id: int, scope: Scope, rule: Rule) -> Chosen:
    """Nothing where all is shared anyhow, and nothing of a scope that names classes."""
    if rule.level is Level.FULL or scope.classes is not None:
        return Chosen(frozenset(), frozenset())
    return Chosen(
        frozenset(chosen(cursor, district_id, "orgs", scope.orgs)),
        frozenset(chosen(cursor, district_id, "courses", scope.courses)),
    )


def places_of(district_id: int) -> dict[int, Place]:
    """Every org of the district, by record id."""
    rows = Org.objects.filter(district_id=district_id).values_list("id", "name", "status", "parent_id")
    return {number: Place(name, status == ACTIVE, parent) for number, name, status, parent in rows}


def taught_of(district_id: int, ids: Iterable[int]) -> dict[int, Taught]:
    """These classes with their courses, by record id."""
    classes = list(Class.objects.filter(district_id=district_id, id__in=list(ids)))
    wanted = {one.course_id for one in classes}
    courses = {one.id: one for one in Course.objects.filter(district_id=district_id, id__in=wanted)}
    return {one.id: _taught(one, courses.get(one.course_id)) for one in classes}


def _taught(one: Class, course: Course | None) -> Taught:
    return Taught(
        id=one.id,
        name=one.title or one.sourced_id,
        active=one.status == ACTIVE,
        school=one.school_id,
        course=one.course_id,
        course_name=(course.title or course.sourced_id) if course else "(unknown)",
        course_active=bool(course and course.status == ACTIVE),
        course_org=course.org_id if course else None,
    )


def person_of(grant: Grant, record_id: int, today: str) -> Person | None:
    """The person with what decides about them, and where they are a guardian the same of the pupils who name them; None for nobody."""
    people = _people(grant, [record_id], today)
    if not people:
        return None
    found = people[0]
    if not any(post.role in GUARDIANS for post in found.posts):
        return found
    pupils = _people(grant, _pupils_of(grant.district_id, record_id), today)
    return Person(found.active, found.seats, found.posts, found.opted_out, tuple(pupils))


def _people(grant: Grant, ids: Sequence[int], today: str) -> list[Person]:
    """Those of them who are in the roster, in the order of their record ids."""
    district_id = grant.district_id
    users = User.objects.filter(district_id=district_id, id__in=ids).order_by("id")
    seats, posts, out = _seats(district_id, ids), _posts(district_id, ids), _opted_out(grant, ids, today)
    return [
        Person(
            active=one.status == ACTIVE,
            seats=tuple(seats.get(one.id, ())),
            posts=tuple(posts.get(one.id, ())),
            opted_out=out.get(one.id, ""),
        )
        for one in users.only("district_id", "id", "status")
    ]


def _seats(district_id: int, ids: Sequence[int]) -> dict[int, list[Seat]]:
    enrollments = list(Enrollment.objects.filter(district_id=district_id, user_id__in=ids).order_by("id"))
    taught = taught_of(district_id, {one.class_id for one in enrollments})
    seats: dict[int, list[Seat]] = {}
    for one in enrollments:
        seat = Seat(one.status == ACTIVE, one.role, taught.get(one.class_id))
        seats.setdefault(one.user_id, []).append(seat)
    return seats


def _posts(district_id: int, ids: Sequence[int]) -> dict[int, list[Post]]:
    posts: dict[int, list[Post]] = {}
    for one in Role.objects.filter(district_id=district_id, user_id__in=ids).order_by("id"):
        posts.setdefault(one.user_id, []).append(Post(one.status == ACTIVE, one.role, one.org_id))
    return posts


def _opted_out(grant: Grant, ids: Sequence[int], today: str) -> dict[int, str]:
    """Who is left out on that day: of which apps, and since when. The reason is for those who keep the opt-outs, and not told here."""
    running = Q(ends_on=None) | Q(ends_on__gte=today)
    found = OptOut.objects.filter(
        running, Q(grant=None) | Q(grant=grant), district_id=grant.district_id, user_id__in=ids,
        withdrawn_at=None, starts_on__lte=today,
    )  # fmt: skip
    return {one.user_id: _words(one) for one in found}


def _words(one: OptOut) -> str:
    of = "of every app" if one.grant_id is None else "of this app"
    until = f" until {one.ends_on}" if one.ends_on else ""
    return f"{of}, since {one.starts_on}{until}."


def _pupils_of(district_id: int, record_id: int) -> list[int]:
    """Whoever names this person as their agent."""
    naming = User.objects.filter(
        district_id=district_id, status=ACTIVE, agent_ids__contains=str(record_id)
    ).values_list("id", "agent_ids")
    return [number for number, agents in naming if record_id in json.loads(agents or "[]")]
