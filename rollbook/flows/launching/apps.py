"""The apps on somebody's launch pad: those that are shared with them, switched on, past their launch date, and that begin somewhere.

Whether an app is shared with somebody is not decided here: its view is asked, the same that it reads by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db import router, transaction
from django.db.models import F, Sum

from rollbook.flows import audit
from rollbook.flows.applications import particulars
from rollbook.flows.launching.initiating import initiation_of
from rollbook.flows.launching.standing import LaunchPerson
from rollbook.flows.publish import local_date
from rollbook.flows.removal import refuse_removed
from rollbook.refusal import Refusal
from rollbook.store.circumstances import is_begun_and_not_over
from rollbook.store.models import AppLaunch, District, Grant, Served, ViewRow
from rollbook.store.models.publication import FOREVER, NUMBER_OF

PEOPLE = NUMBER_OF["users"]
KEPT = timedelta(days=400)
"""So long a day's counts are kept: a month can be compared with the same one a year ago."""


class NotOnYourPad(Refusal):
    """This app is not on your launch pad."""


class NotADate(Refusal):
    """A launch date is a day such as 2026-09-01."""


@dataclass(frozen=True)
class Tile:
    """An app that can be launched; `start_url` is the one of its Edit page."""

    grant: Grant
    start_url: str


def tiles_of(person: LaunchPerson, now: datetime) -> list[Tile]:
    """What stands on this person's launch pad, by the names that the apps have in the district."""
    district = District.objects.get(pk=person.district_id)
    today = today_of(district, now)
    found = Grant.objects.filter(district=district, enabled=True, removed_at=None)
    grants = found.select_related("app", "app__logo").defer("app__logo__content")
    ready = [Tile(one, start_of(one)) for one in grants if is_on_pads(one, today)]
    shared = shared_with(person.district_id, person.user_id, [one.grant for one in ready])
    return sorted(
        (one for one in ready if one.grant.pk in shared), key=lambda one: one.grant.title.casefold()
    )


def today_of(district: District, now: datetime) -> str:
    return local_date(district, now.timestamp())


def start_of(grant: Grant) -> str:
    """The start address of the app's Edit page; empty where it has none."""
    return str(particulars(grant)["start_url"])


def is_on_pads(grant: Grant, today: str) -> bool:
    """Whether those with whom the app is shared find it on that day."""
    return grant.enabled and grant.removed_at is None and bool(start_of(grant)) and is_launched(grant, today)


def is_launched(grant: Grant, today: str) -> bool:
    """Whether people find the app on that day: from its launch date on, which without one is the day on which it was switched on."""
    return (grant.launches_on or "") <= today and is_begun_and_not_over(grant.starts_on, grant.ends_on, today)


def shared_with(district_id: int, user_id: int, grants: Iterable[Grant]) -> set[int]:
    """The numbers of those grants whose view shows this person now."""
    grants = list(grants)
    views = {one.view_id for one in grants if one.view_id}
    rows = ViewRow.objects.filter(
        district_id=district_id, view_id__in=views, collection=PEOPLE, record_id=user_id, to_publication=FOREVER, gone=False
    )  # fmt: skip
    seen: set[int | None] = set(rows.values_list("view_id", flat=True))
    whole = Served.objects.filter(
        district_id=district_id, collection=PEOPLE, record_id=user_id, to_publication=FOREVER, gone=False
    )
    if any(one.view_id is None for one in grants) and whole.exists():
        seen.add(None)
    return {one.pk for one in grants if one.view_id in seen}


def launch(person: LaunchPerson, grant_id: int, now: datetime) -> str:
    """The address to which the browser goes; the launch is counted. Raises NotOnYourPad."""
    tile = next((one for one in tiles_of(person, now) if one.grant.pk == grant_id), None)
    if tile is None:
        raise NotOnYourPad
    _count(tile.grant, today_of(tile.grant.district, now))
    return with_query(tile.start_url, initiation_of(tile.grant, person, tile.start_url))


def with_query(url: str, more: dict[str, str]) -> str:
    """The address with these names in its query behind its own, which stays as it is, letter for letter."""
    if not more:
        return url
    parts = urlsplit(url)
    query = "&".join(one for one in (parts.query, urlencode(more)) if one)
    return urlunsplit(parts._replace(query=query))


def _count(grant: Grant, day: str) -> None:
    with transaction.atomic(using=router.db_for_write(AppLaunch)):
        counted, _ = AppLaunch.objects.get_or_create(
            district_id=grant.district_id, grant_id=grant.pk, day=day
        )
        AppLaunch.objects.filter(pk=counted.pk).update(launches=F("launches") + 1)


def launches(district: District, since: str) -> dict[int, int]:
    """How often each app was launched since that day of the district: {number of the grant: launches}."""
    rows = AppLaunch.objects.filter(district_id=district.pk, day__gte=since)
    return dict(rows.values_list("grant_id").annotate(total=Sum("launches")))


def forget_launches(district_id: int, now: datetime) -> int:
    """Counts whose time is over go; how many. Somewhere it is still the day before."""
    first = (now - KEPT - timedelta(days=1)).date().isoformat()
    removed, _ = AppLaunch.objects.filter(district_id=district_id, day__lt=first).delete()
    return removed


# --- The launch date ------------------------------------------------------------------------------------------------------------------


def set_launch_date(grant: Grant, day: str, *, by: str) -> None:
    """From that day of the district on people find the app; empty: from the day it is switched on. Raises NotADate, AppRemoved."""
    refuse_removed(grant)
    day = day.strip()
    try:
        kept = date.fromisoformat(day).isoformat() if day else None
    except ValueError:
        raise NotADate(day[:20]) from None
    if kept == grant.launches_on:
        return
    with transaction.atomic():
        before, grant.launches_on = grant.launches_on, kept
        grant.save(update_fields=["launches_on"])
        audit.record(
            grant.district_id, "grant.launch_date", "grant", grant.pk, grant.title,
            before={"launchDate": before}, after={"launchDate": kept}, by=by,
        )  # fmt: skip


def launch_now(grant: Grant, *, by: str, now: datetime | None = None) -> None:
    """People find the app from today on. Raises AppRemoved."""
    set_launch_date(grant, today_of(grant.district, now or datetime.now(UTC)), by=by)
