"""Publish: what is served follows the roster, the rules of the grants and the calendar. A publication is switched on in one moment.

Every function here runs in one transaction, with the district's row locked: publications of one district follow one another.
"""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from rollbook.oneroster.json_binding import instant_text
from rollbook.store.beginning import Beginning
from rollbook.store.looked import Looked
from rollbook.store.models import District, Grant, Publication, Role, View
from rollbook.store.models.publication import COLLECTIONS
from rollbook.store.publishing import Changed, Edition, follow_roster
from rollbook.store.tombstones import drop_tombstones
from rollbook.store.views import copy_rows, refresh
from rollbook.store.visibility import WHOLE_ROSTER, Rule

State = dict[str, dict[str, list[int]]]


@transaction.atomic
def publish(
    district_id: int,
    changed: Changed | None,
    reason: str,
    begun: Beginning | None = None,
    looked: Looked | None = None,
) -> Publication | None:
    """Serve the roster as it is now; None if nothing served would differ. `changed` None: everything may have changed.

    `begun` is the first delivery of a district that has served nothing yet. `looked` is told how far it is.
    """
    district = locked(district_id)
    state, edition = _next_edition(district, looked)
    views = _views_in_use(district)
    for view in views:
        edition.looked.will(f"view {view.pk}", sum(edition.totals.values()))
    follow_roster(edition, changed, begun if edition.is_first else None)
    for collection, written in edition.written.items():
        if written:
            state[str(WHOLE_ROSTER)][collection] = [edition.totals[collection], edition.number]
    retold = [_refresh(edition, state, view) for view in views]
    if not any(edition.written.values()) and not any(retold):
        return None
    return _switch_on(edition, state, reason)


@transaction.atomic
def set_rule(grant: Grant, rule: Rule, reason: str) -> Publication | None:
    """Let `grant` see what `rule` says from now on. What comes into view or leaves it is stamped with the publication this makes.

    A grant that never saw anything joins the view of its rule, if there is one. An edited grant keeps its own history: a view that others share
    is copied for it first.
    """
    district = locked(grant.district_id)
    state, edition = _next_edition(district)
    is_new = grant._state.adding
    view = _view_for(grant, rule, is_new, edition, state)
    grant.permission = Grant.Permission.FULL if rule.is_everything else Grant.Permission.BASIC
    grant.rule = rule.canonical()
    grant.view = view
    grant.version = 1 if is_new else grant.version + 1
    grant.save()
    if view is None or not district.publication or not _refresh(edition, state, view):
        return None
    return _switch_on(edition, state, reason)


def publish_due(district_id: int) -> Publication | None:
    """At a district's midnight: publish what begins or ends with the day. None if the day has been published or changes nothing."""
    with transaction.atomic():
        district = locked(district_id)
        last = Publication.objects.filter(district=district, number=district.publication).first()
        today = local_date(district, time.time())
        if last is None or last.local_date >= today:
            return None
        span = (last.local_date, today)
        roles = Role.objects.filter(district=district)
        begun = roles.filter(begin_date__gt=span[0], begin_date__lte=span[1])
        ended = roles.filter(end_date__gt=span[0], end_date__lte=span[1])
        due = set(begun.values_list("id", flat=True)) | set(ended.values_list("id", flat=True))
        return publish(district_id, {"roles": due}, "a day began") if due else None


@transaction.atomic
def publish_without_tombstones(district_id: int, before: int) -> Publication | None:
    """Stop serving tombstones that have been served since before that instant (milliseconds UTC); None if there are none."""
    district = locked(district_id)
    last = Publication.objects.filter(district=district, instant__lt=before).order_by("-number").first()
    if last is None:
        return None
    state, edition = _next_edition(district)
    dropped = False
    for view, collections in state.items():
        for collection, entry in collections.items():
            left = drop_tombstones(edition, int(view), collection, last.number, entry[0])
            if left != entry[0]:
                collections[collection], dropped = [left, edition.number], True
    return _switch_on(edition, state, "old tombstones") if dropped else None


def locked(district_id: int) -> District:
    return District.objects.select_for_update().get(pk=district_id)


def local_date(district: District, seconds: float) -> str:
    """The district's calendar date at that moment, as `YYYY-MM-DD`."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(district.time_zone)):%Y-%m-%d}"


def _next_edition(district: District, looked: Looked | None = None) -> tuple[State, Edition]:
    last = Publication.objects.filter(district=district, number=district.publication).first()
    state: State = last.state if last else {}
    whole = state.setdefault(str(WHOLE_ROSTER), {collection: [0, 0] for collection in COLLECTIONS})
    edition = Edition(
        connection.cursor(),
        district,
        district.publication + 1,
        local_date(district, time.time()),
        {collection: whole[collection][0] for collection in COLLECTIONS},
        is_first=last is None,
        looked=looked or Looked(),
    )
    return state, edition


def _views_in_use(district: District) -> list[View]:
    return list(View.objects.filter(district=district, grants__isnull=False).distinct().order_by("pk"))


def _refresh(edition: Edition, state: State, view: View) -> bool:
    """Bring one view up to the roster and note in `state` which of its collections changed, by its own rows or by the roster's."""
    known = state.setdefault(str(view.pk), {collection: [0, 0] for collection in COLLECTIONS})
    totals = {collection: known[collection][0] for collection in COLLECTIONS}
    changed = refresh(edition, view, totals)
    for collection in COLLECTIONS:
        if collection in changed or edition.written.get(collection):
            known[collection] = [totals[collection], edition.number]
    return bool(changed)


def _view_for(grant: Grant, rule: Rule, is_new: bool, edition: Edition, state: State) -> View | None:
    if is_new:
        return None if rule.is_everything else _shared_view(grant.district_id, rule)
    own = grant.view
    if own is None and rule.is_everything:
        return None
    if own is None or own.grants.count() > 1:
        own = _copy_of(own, grant, edition, state)
    own.rule, own.shared = rule.canonical(), False
    own.save()
    return own


def _shared_view(district_id: int, rule: Rule) -> View:
    view = View.objects.filter(district_id=district_id, rule=rule.canonical(), shared=True).first()
    return view or View.objects.create(district_id=district_id, rule=rule.canonical())


def _copy_of(view: View | None, grant: Grant, edition: Edition, state: State) -> View:
    """A view of this grant's own that has seen what the shared one, or the whole roster, has shown so far."""
    source = view.pk if view else WHOLE_ROSTER
    copy = View.objects.create(district_id=grant.district_id, rule=grant.rule, shared=False)
    whole = {collection: list(entry) for collection, entry in state.get(str(source), {}).items()}
    state[str(copy.pk)] = whole or {collection: [0, 0] for collection in COLLECTIONS}
    copy_rows(edition, source, copy.pk)
    return copy


def _switch_on(edition: Edition, state: State, reason: str) -> Publication:
    """The last act before the commit: the instant is taken here, in whole milliseconds, later than every earlier one."""
    district = edition.district
    last = Publication.objects.filter(district=district, number=district.publication).first()
    instant = max(time.time_ns() // 1_000_000, last.instant + 1 if last else 0)
    publication = Publication.objects.create(
        district=district,
        number=edition.number,
        instant=instant,
        instant_text=instant_text(instant),
        local_date=edition.today,
        reason=reason,
        state=state,
    )
    district.publication = edition.number
    district.save(update_fields=["publication"])
    return publication
