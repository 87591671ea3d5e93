"""What apps read lately, in words."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from rollbook.console.words import ASKED_FOR
from rollbook.store.models import AccessRow, District, Grant

REFUSED = {
    400: _("Refused: the question was wrong"),
    401: _("Refused: not signed in"),
    403: _("Refused: not allowed"),
    404: _("Nothing there"),
    405: _("Refused: reading only"),
    429: _("Refused: too many requests"),
}


@dataclass(frozen=True)
class Access:
    """One answer given to an app. `good` says whether it got what it asked for."""

    app: str
    at: datetime
    what: Any
    records: int
    words: Any
    good: bool


def recent_access(district: District, number: int) -> list[Access]:
    """The last answers given to apps of this district."""
    rows = list(AccessRow.objects.filter(district_id=district.pk).order_by("-at")[:number])
    grants = Grant.objects.filter(district=district, id__in={row.grant_id for row in rows}).select_related(
        "app"
    )
    names = {grant.pk: grant.app.name for grant in grants}
    return [_access(row, names.get(row.grant_id, "")) for row in rows]


def _access(row: AccessRow, app: str) -> Access:
    what = ASKED_FOR.get(row.collection, row.collection)
    return Access(app, moment(row.at), what, row.records, result_words(row.status), row.status < 400)


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def result_words(status: int) -> Any:
    """What an HTTP status means to someone who reads this page."""
    if status == 304:
        return _("Nothing new since last time")
    if status < 400:
        return _("Delivered")
    return REFUSED.get(status, _("Failed on our side") if status >= 500 else _("Refused"))
