"""Publish: what is served follows the roster, the rules of the grants and the calendar. A publication is switched on in one moment.

Every function here runs in one transaction, with the district's row locked: publications of one district follow one another.
"""

import time
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from rollbook.engine.scope import Rule
from rollbook.oneroster.json_binding import instant_text
from rollbook.oneroster.treatments import domain_of, replaced_in
from rollbook.store.beginning import Beginning
from rollbook.store.circumstances import Circumstances, circumstances_of_view, is_particular, needs_rows
from rollbook.store.looked import Looked
from rollbook.store.models import District, Grant, GrantVersion, OptOut, Publication, Role, View
from rollbook.store.models.publication import COLLECTIONS
from rollbook.store.publishing import Changed, Edition, follow_roster
from rollbook.store.tombstones import drop_tombstones
from rollbook.store.views import NO_EDIT, Edit, copy_rows, count_gone, refresh, work
from rollbook.store.visibility import WHOLE_ROSTER

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
    changed = None if changed is None else _with_due(edition, changed)
    views = _views_in_use(district)
    for view in views:
        edition.looked.will(f"view {view.pk}", sum(edition.totals.values()))
    follow_roster(edition, changed, begun if edition.is_first else None)
    for collection, written in edition.written.items():
        if written:
            counts = [edition.totals[collection], edition.number, edition.gone[collection]]
            _entries(state, WHOLE_ROSTER)[collection] = counts
    retold = _bring_up(edition, state, views)
    if not any(edition.written.values()) and not retold:
        return None
    return _switch_on(edition, state, reason)


@transaction.atomic
def set_rule(grant: Grant, rule: Rule, reason: str, *, by: str = "", why: str = "") -> Publication | None:
    """Let `grant` see what `rule` says from now on. What comes into view or leaves it is stamped with the publication this makes.

    A grant that never saw anything joins the view of its rule, if there is one. An edited grant keeps its own history: a view that others share
    is copied for it first. Its days are those that stand in it. The version is kept, with who made it and why.
    """
    publish_due(grant.district_id)
    district = locked(grant.district_id)
    state, edition = _next_edition(district)
    is_new, known = grant._state.adding, set(state)
    edit = NO_EDIT if is_new else _edit(Rule.parse(grant.rule), rule)
    view = _view_for(grant, rule, is_new, edition, state)
    if not is_new and not GrantVersion.objects.filter(grant=grant).exists():
        # It is older than the keeping of versions.
        _keep_version(Grant.objects.get(pk=grant.pk), grant.created_at, "", "")
    grant.permission = str(rule.level)
    grant.rule = rule.canonical()
    grant.view = view
    grant.shows_deleted = rule.deleted
    grant.version = 1 if is_new else grant.version + 1
    grant.save()
    _keep_version(grant, timezone.now(), by, why)
    if view is None or not district.publication:
        return None
    changed = _bring_up(edition, state, [view], edit)
    return _switch_on(edition, state, reason) if changed or _is_copy(state, view, known) else None


@transaction.atomic
def leave_out(district_id: int, grant: Grant | None) -> Publication | None:
    """Serve what the opt-outs of the grant, or of every app, leave since they were changed. Grants that shared a view, or needed none, get
    one that can be without somebody.
    """
    publish_due(district_id)
    district = locked(district_id)
    state, edition = _next_edition(district)
    known = set(state)
    if grant is not None:
        _give_own_view(grant, edition, state)
    else:
        _give_rows(list(Grant.objects.filter(district=district, view=None).order_by("pk")), edition, state)
    if not district.publication:
        # The first publication fills the views.
        return None
    edition.considered = {}  # of the roster itself nothing changed
    views = _views_in_use(district)
    changed = _bring_up(edition, state, views)
    if not changed and not any(_is_copy(state, view, known) for view in views):
        return None
    return _switch_on(edition, state, "who opted out")


def publish_due(district_id: int) -> Publication | None:
    """At a district's midnight: publish what begins or ends with the day. None if the day has been published or changes nothing.

    Most times there is nothing due, and then nobody is waited for who is changing the roster: other districts would wait too.
    """
    if not _day_due(District.objects.get(pk=district_id)):
        return None
    with transaction.atomic():
        district = locked(district_id)
        span = _day_due(district)
        if not span or (not _roles_due(district, *span) and not _permissions_due(district, *span)):
            return None
        return publish(district_id, {}, "a day began")


def _day_due(district: District) -> tuple[str, str] | None:
    """The day of the last publication and today, where that is a later one."""
    last = Publication.objects.filter(district=district, number=district.publication).first()
    today = today_of(district)
    return (last.local_date, today) if last and last.local_date < today else None


def _with_due(edition: Edition, changed: Changed) -> Changed:
    """What changed, with the roles that began or ended since the last publication: whoever publishes first on a day takes them along."""
    last = Publication.objects.filter(district=edition.district, number=edition.number - 1).first()
    if last is None or last.local_date >= edition.today:
        return changed
    due = _roles_due(edition.district, last.local_date, edition.today)
    return {**changed, "roles": changed.get("roles", set()) | due}


def _roles_due(district: District, last: str, today: str) -> set[int]:
    """The roles that begin, or ended, after `last` and until `today`."""
    roles = Role.objects.filter(district=district)
    begun = roles.filter(begin_date__gt=last, begin_date__lte=today)
    ended = roles.filter(end_date__gt=last, end_date__lte=today)
    return set(begun.values_list("id", flat=True)) | set(ended.values_list("id", flat=True))


def _permissions_due(district: District, last: str, today: str) -> bool:
    """Whether a grant or an opt-out begins, or ended, after `last` and until `today`. Both know the days on which they hold."""
    begins = Q(starts_on__gt=last, starts_on__lte=today)
    ended = Q(ends_on__gte=last, ends_on__lt=today)
    return any(
        of_district.filter(begins | ended).exists()
        for of_district in (Grant.objects.filter(district=district), OptOut.objects.filter(district=district))
    )


def publish_without_tombstones(district_id: int, before: int) -> Publication | None:
    """Stop serving tombstones that have been served since before that instant (milliseconds UTC); None if there are none."""
    earlier = Publication.objects.filter(district=district_id, instant__lt=before).order_by("-number")
    # Nobody is waited for in vain, see `publish_due`. What is this old stays so.
    last = earlier.first()
    return _published_without_tombstones(district_id, last) if last else None


@transaction.atomic
def _published_without_tombstones(district_id: int, last: Publication) -> Publication | None:
    """Without those served since `last` or longer."""
    district = locked(district_id)
    state, edition = _next_edition(district)
    dropped = False
    for view, collections in state.items():
        for collection, entry in collections.items():
            left = drop_tombstones(edition, int(view), collection, last.number, entry[0])
            if left != entry[0]:
                gone = [number - entry[0] + left for number in entry[2:]]
                collections[collection], dropped = [left, edition.number, *gone], True
    return _switch_on(edition, state, "old tombstones") if dropped else None


def locked(district_id: int) -> District:
    return District.objects.select_for_update().get(pk=district_id)


def local_date(district: District, seconds: float) -> str:
    """The district's calendar date at that moment, as `YYYY-MM-DD`."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(district.time_zone)):%Y-%m-%d}"


def today_of(district: District) -> str:
    """The district's date now."""
    return local_date(district, time.time())


def served_of(district: District) -> int:
    """How many records the last publication of a district has, tombstones included; 0 before the first."""
    last = Publication.objects.filter(district=district, number=district.publication).first()
    return sum(entry[0] for entry in last.state.get(str(WHOLE_ROSTER), {}).values()) if last else 0


def _next_edition(district: District, looked: Looked | None = None) -> tuple[State, Edition]:
    last = Publication.objects.filter(district=district, number=district.publication).first()
    state: State = last.state if last else {}
    edition = Edition(
        connection.cursor(),
        district,
        district.publication + 1,
        today_of(district),
        totals={},
        gone={},
        is_first=last is None,
        looked=looked or Looked(),
    )
    edition.totals, edition.gone = _counts(edition, WHOLE_ROSTER, _entries(state, WHOLE_ROSTER))
    return state, edition


def _entries(state: State, view_id: int) -> dict[str, list[int]]:
    """What is known of a view's collections: total, publication of the last change, tombstones."""
    known = state.setdefault(str(view_id), {})
    for collection in COLLECTIONS:
        known.setdefault(collection, [0, 0, 0])
    return known


def _counts(
    edition: Edition, view_id: int, known: dict[str, list[int]]
) -> tuple[dict[str, int], dict[str, int]]:
    """Totals and tombstones by collection; an earlier version did not keep count of these."""
    totals = {collection: known[collection][0] for collection in COLLECTIONS}
    gone = {
        collection: entry[2]
        if len(entry := known[collection]) > 2
        else count_gone(edition, view_id, collection)
        for collection in COLLECTIONS
    }
    return totals, gone


def _views_in_use(district: District) -> list[View]:
    used = View.objects.filter(district=district, grants__isnull=False, grants__removed_at=None)
    return list(used.distinct().order_by("pk"))


def _bring_up(edition: Edition, state: State, views: list[View], edit: Edit = NO_EDIT) -> bool:
    """Bring views up to the roster, with one working for all that show the same; whether a row of any changed."""
    workings: dict[tuple[str, Circumstances], list[View]] = defaultdict(list)
    for view in views:
        rule = Rule.parse(view.rule).working
        workings[rule.canonical(), circumstances_of_view(view, rule, edition.today)].append(view)
    changed = False
    for (text, circumstances), alike in workings.items():
        is_partial = work(edition, Rule.parse(text), circumstances, alike)
        for view in alike:
            changed = _refresh(edition, state, view, circumstances, edit, is_partial) or changed
    return changed


def _refresh(
    edition: Edition,
    state: State,
    view: View,
    circumstances: Circumstances,
    edit: Edit,
    is_partial: bool,
) -> bool:
    """Bring one view up to what was worked out and note in `state` which of its collections changed, by its own rows or by the roster's."""
    known = _entries(state, view.pk)
    totals, gone = _counts(edition, view.pk, known)
    changed = refresh(edition, view, totals, gone, circumstances, edit, is_partial)
    for collection in COLLECTIONS:
        if collection in changed or edition.written.get(collection):
            known[collection] = [totals[collection], edition.number, gone[collection]]
    return bool(changed)


def _view_for(grant: Grant, rule: Rule, is_new: bool, edition: Edition, state: State) -> View | None:
    """The view that the grant reads; None where it sees what the whole roster shows, and always saw it."""
    particular = is_particular(grant, rule)
    needs_none = rule.is_everything and not particular and not needs_rows(grant.district_id)
    if is_new:
        return None if needs_none else _first_view(grant.district_id, rule, particular)
    own = grant.view
    if own is None and needs_none:
        return None
    if own is None or own.grants.count() > 1:
        own = _copy_of(own, grant, edition, state)
    own.rule, own.shared = rule.working.canonical(), False
    own.save()
    return own


def _first_view(district_id: int, rule: Rule, particular: bool) -> View:
    if particular:
        return View.objects.create(district_id=district_id, rule=rule.working.canonical(), shared=False)
    return _shared_view(district_id, rule)


def _shared_view(district_id: int, rule: Rule) -> View:
    text = rule.working.canonical()
    view = View.objects.filter(district_id=district_id, rule=text, shared=True).first()
    return view or View.objects.create(district_id=district_id, rule=text)


def _copy_of(view: View | None, grant: Grant, edition: Edition, state: State) -> View:
    """A view of this grant's own that has seen what the shared one, or the whole roster, has shown so far."""
    source = view.pk if view else WHOLE_ROSTER
    copy = View.objects.create(district_id=grant.district_id, rule=grant.rule, shared=False)
    state[str(copy.pk)] = {collection: list(entry) for collection, entry in _entries(state, source).items()}
    copy_rows(edition, source, copy.pk)
    return copy


def _give_own_view(grant: Grant, edition: Edition, state: State) -> None:
    """A view that nobody shares, with the history of the one it had."""
    own = grant.view
    if own is None or own.grants.count() > 1:
        own = _copy_of(own, grant, edition, state)
    own.rule, own.shared = Rule.parse(grant.rule).working.canonical(), False
    own.save()
    grant.view = own
    grant.save(update_fields=["view"])


def _give_rows(grants: list[Grant], edition: Edition, state: State) -> None:
    """One view for all these grants to everything, which needed none."""
    if not grants:
        return
    view = _copy_of(None, grants[0], edition, state)
    view.rule, view.shared = Rule.parse(grants[0].rule).working.canonical(), True
    view.save()
    for grant in grants:
        grant.view = view
        grant.save(update_fields=["view"])


def _is_copy(state: State, view: View, known: Collection[str]) -> bool:
    """Whether this view came to be with this publication and holds something, so that how much it holds has to be kept."""
    return str(view.pk) not in known and any(entry[0] for entry in _entries(state, view.pk).values())


def _edit(before: Rule, after: Rule) -> Edit:
    """The collections of which some field is shown in another way than before, and those whose ids are others."""
    old, new = before.treatments, after.treatments
    touched = frozenset(name for name in {*old, *new} if old.get(name) != new.get(name))
    replaced = replaced_in(old) ^ replaced_in(new)
    return Edit(touched, frozenset(name for name in COLLECTIONS if domain_of(name) in replaced))


def _keep_version(grant: Grant, at: datetime, by: str, why: str) -> None:
    GrantVersion.objects.create(
        grant=grant, number=grant.version, rule=grant.rule, starts_on=grant.starts_on, ends_on=grant.ends_on,
        by=by[:200], why=why, at=at,
    )  # fmt: skip


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
        reason=reason[:200],
        state=state,
    )
    district.publication = edition.number
    district.save(update_fields=["publication"])
    return publication
