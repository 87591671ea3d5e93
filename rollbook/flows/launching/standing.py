"""Who stands at a district's launch pad in this browser: asked at each step, so that a session ends with what it rested on.

What the session keeps names a sign-in and its stamp; everything else is looked up, as it is now.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollbook.engine.launching import PROVIDER, rule_of, ways_of
from rollbook.store.models import District, LaunchPad, LaunchProvider, LaunchSignIn, Role, User

AT_THE_PAD = "launch"
"""Where the browser's session keeps it."""
ACTIVE, STUDENT = "active", "student"


@dataclass(frozen=True)
class LaunchPerson:
    """A rostered person who is in. `sourced_id` is as served, `source_id` as delivered; `tenant` is the Tenant ID as text.

    They came in `by` a way, `at` a moment, in seconds since 1970.
    """

    district_id: int
    user_id: int
    source_id: str
    sourced_id: str
    tenant: str
    sign_in: int
    by: str = ""
    at: int = 0


def stand(session: Any, sign_in: LaunchSignIn, by: str, now: datetime) -> None:
    """From now on this person stands at the launch pad in this browser; they came by this way."""
    session[AT_THE_PAD] = {
        "sign_in": sign_in.pk, "stamp": sign_in.stamp, "by": by, "at": int(now.timestamp())
    }  # fmt: skip


def person_of(session: Any) -> LaunchPerson | None:
    """Who stands there, None where nobody does any more: out of the roster, the pad closed, their way in ended."""
    kept = session.get(AT_THE_PAD)
    if not isinstance(kept, dict):
        return None
    sign_in = LaunchSignIn.objects.select_related("district__launch_pad").filter(
        pk=kept["sign_in"], stamp=kept["stamp"], account__is_active=True, district__launch_pad__is_on=True
    ).first()  # fmt: skip
    if sign_in is None:
        return None
    user = rostered(sign_in.district_id, sign_in.user_id)
    if user is None or kept["by"] not in ways_for(sign_in.district.launch_pad, user):
        return None
    if kept["by"] == PROVIDER and not provider_is_on(sign_in.district):
        return None
    return LaunchPerson(
        user.district_id, user.id, user.source_id, user.sourced_id, str(user.district_id), sign_in.pk, kept["by"],
        kept["at"],
    )  # fmt: skip


def rostered(district_id: int, user_id: int) -> User | None:
    """The person, if the roster has them and lets them in."""
    return User.objects.filter(district_id=district_id, id=user_id, status=ACTIVE, enabled_user=True).first()


def provider_is_on(district: District) -> bool:
    return LaunchProvider.objects.filter(district=district, is_active=True).exists()


def ways_for(pad: LaunchPad, user: User) -> tuple[str, ...]:
    """The ways by which this person may come in."""
    rules = [rule_of(one) for one in pad.rules]
    return ways_of(rules, pad.ways, schools_of(user) if rules else (), grades_of(user))


def schools_of(user: User) -> frozenset[int]:
    """The record ids of the orgs at which they have a role."""
    roles = Role.objects.filter(district_id=user.district_id, user_id=user.id, status=ACTIVE)
    own = {user.primary_org_id} if user.primary_org_id else set()
    return frozenset(roles.values_list("org_id", flat=True)) | own


def grades_of(user: User) -> frozenset[str]:
    return frozenset(json.loads(user.grades or "[]"))


def is_pupil(user: User) -> bool:
    """Whether they are a student and nothing else."""
    roles = Role.objects.filter(district_id=user.district_id, user_id=user.id, status=ACTIVE)
    held = set(roles.values_list("role", flat=True))
    return held == {STUDENT}
