"""Who lay in an app's view, and in which publications: from the rows that serve it, and from what is kept of those that were removed.

Only people are asked about. A span is (first, until): the publications first ≤ p < until.
"""

from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper

from rollbook.engine.scope import Rule
from rollbook.store.models import Grant, GrantVersion, Served, Shown, ViewRow
from rollbook.store.models.publication import NUMBER_OF

PEOPLE = NUMBER_OF["users"]
EVERYBODY = 0
"""In the place of a grant: the view of the whole roster, which all grants to everything share."""

Span = tuple[int, int]

KEEP = """
    INSERT INTO store_shown (district_id, grant_id, record_id, first, until)
    SELECT r.district_id, {grant}, r.record_id, MIN(r.from_publication), MAX(r.to_publication)
    FROM {rows} WHERE r.district_id = %s AND r.to_publication <= %s AND r.collection = %s AND NOT r.gone
    GROUP BY r.district_id, {group}r.record_id
    ON CONFLICT (district_id, grant_id, record_id) DO UPDATE SET
        first = CASE WHEN excluded.first < store_shown.first THEN excluded.first ELSE store_shown.first END,
        until = CASE WHEN excluded.until > store_shown.until THEN excluded.until ELSE store_shown.until END
"""


def keep_shown(cursor: CursorWrapper, district_id: int, oldest: int) -> None:
    """Keeps who was shown by the replaced rows that go now: those that end with the publication `oldest` or before."""
    served = KEEP.format(grant=EVERYBODY, group="", rows="store_served r")
    viewed = KEEP.format(
        grant="g.id",
        group="g.id, ",
        rows="store_viewrow r JOIN store_grant g ON g.district_id = r.district_id AND g.view_id = r.view_id",
    )
    for statement in (served, viewed):
        cursor.execute(statement, [district_id, oldest, PEOPLE])


def spans_of(grant: Grant, record_id: int) -> list[Span]:
    """When this person lay in the grant's view, in order; what touches is one span."""
    place = {"district_id": grant.district_id, "record_id": record_id}
    kept = [grant.pk]
    rows: list[Span] = []
    if grant.view_id is not None:
        viewed = ViewRow.objects.filter(**place, view_id=grant.view_id, collection=PEOPLE, gone=False)
        rows += viewed.values_list("from_publication", "to_publication")
    if grant.view_id is None or _saw_everything(grant):
        kept.append(EVERYBODY)
        served = Served.objects.filter(**place, collection=PEOPLE, gone=False)
        rows += served.values_list("from_publication", "to_publication") if grant.view_id is None else []
    rows += Shown.objects.filter(**place, grant_id__in=kept).values_list("first", "until")
    return merged(rows)


def _saw_everything(grant: Grant) -> bool:
    """Whether an earlier version of its rule was everything."""
    rules = GrantVersion.objects.filter(grant=grant).values_list("rule", flat=True)
    return any(Rule.parse(rule).is_everything for rule in rules)


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order, and one where they touch or overlap."""
    found: list[Span] = []
    for first, until in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(until, found[-1][1]))
        else:
            found.append((first, until))
    return found
