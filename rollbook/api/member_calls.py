"""What the addresses under /api/v1/sync/members do: the people of the directory of a key's organization, and what is done with one by hand."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from rollbook.api.sent import BadBody, Json, answered, sent, text
from rollbook.flows import by_hand, members
from rollbook.refusal import Refusal
from rollbook.store import seats
from rollbook.store.directory_rows import listed
from rollbook.store.models import Member, OrganizationKey

PAGE = 500

STATUS: dict[type[Refusal], int] = {
    members.NoSuchMember: 404,
    **dict.fromkeys((by_hand.ChangedMeanwhile, seats.NoSeatFree, seats.NotActivable, members.LastAdministrator), 409),
}  # fmt: skip


def _members(request: HttpRequest, key: OrganizationKey, _: dict[str, int]) -> HttpResponse:
    """By number, a page at a time: a page begins behind the last number of the one before, however many there are."""
    after = request.GET.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise BadBody("after")
    state, role, search = (request.GET.get(name, "") for name in ("state", "role", "search"))
    found = members.members(key.organization, state, role, search=search)
    page = list(found.filter(id__gt=int(after)).order_by("id")[:PAGE])
    return answered(
        {"members": [_member(one) for one in page], "after": page[-1].id if len(page) == PAGE else None}
    )


def _show(_: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    return answered(_member(_of(key, numbers)))


def _activate(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    sent(request)
    found = _of(key, numbers)
    members.activate(found, timezone.now())
    return answered(_member(found))


def _archive(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    why = text(sent(request, "why"), "why")
    return answered(_member(members.archive(_of(key, numbers), why)))


def _restore(request: HttpRequest, key: OrganizationKey, numbers: dict[str, int]) -> HttpResponse:
    why = text(sent(request, "why"), "why")
    return answered(_member(members.restore(_of(key, numbers), why)))


def _of(key: OrganizationKey, numbers: dict[str, int]) -> Member:
    return members.find_member(key.organization, str(numbers["member"]))


def _member(one: Member) -> Json:
    return {
        "id": one.id,
        "sourcedId": one.source_id,
        "givenName": one.given_name,
        "familyName": one.family_name,
        "email": one.email,
        "username": one.username,
        "state": one.state,
        "roles": list(members.roles_held(one)),
        "sites": list(listed(one.site_ids)),
        "grade": one.grade,
    }


HANDLES: dict[str, Callable[[HttpRequest, OrganizationKey, dict[str, int]], HttpResponseBase]] = {
    "sync_members": _members,
    "sync_member": _show,
    "sync_activate_member": _activate,
    "sync_archive_member": _archive,
    "sync_restore_member": _restore,
}
