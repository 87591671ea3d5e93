"""The page of one record; a person's demographics only when asked for, and with a line in the log."""

import logging
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_district
from rollbook.console.cells import Names, rows_of
from rollbook.console.manual import owner_of
from rollbook.console.records import (
    LISTED,
    Listing,
    extra_listings,
    facts_of,
    listings_of,
    metadata_of,
    people_of,
    related,
    sensitive_facts,
    standing_of,
    want_references,
)
from rollbook.console.sheets import ID, SHEETS, STATUS, Sheet, name_of
from rollbook.flows import audit
from rollbook.store.models import Demographics, District, Record

log = logging.getLogger(__name__)


@in_district(Act.SEE_ROSTER)
def show_record(request: HttpRequest, district: District, collection: str, record_id: str) -> HttpResponse:
    sheet = SHEETS[collection]
    record = _record_or_404(district, sheet, record_id)
    return render(request, "console/record.html", _page(request, district, sheet, record))


@require_POST
@in_district(Act.SEE_DEMOGRAPHICS)
def show_demographics(
    request: HttpRequest, district: District, collection: str, record_id: str
) -> HttpResponse:
    sheet = SHEETS[collection]
    record = _record_or_404(district, sheet, record_id)
    demographics = _demographics_of(district, sheet, record)
    if demographics is None:
        raise Http404
    account: Any = request.user
    log.info(
        "demographics shown district=%s user=%s operator=%s", district.pk, demographics.sourced_id, account.pk
    )
    audit.record(district.pk, "demographics.show", "users", demographics.sourced_id)
    facts = sensitive_facts(demographics)
    if request.headers.get("HX-Request"):
        return render(request, "console/demographics.html", {"demographics_facts": facts})
    context = _page(request, district, sheet, record) | {"demographics_facts": facts}
    return render(request, "console/record.html", context)


def _record_or_404(district: District, sheet: Sheet, record_id: str) -> Record:
    record = sheet.model._default_manager.filter(district=district, id=int(record_id)).first()
    if record is None:
        raise Http404
    return record


def _demographics_of(district: District, sheet: Sheet, record: Record) -> Demographics | None:
    """The demographics a page offers: of the person it shows, or the record itself."""
    if isinstance(record, Demographics):
        return record
    if sheet.collection != "users":
        return None
    return Demographics.objects.filter(district=district, user_id=record.id).first()


def _page(request: Any, district: District, sheet: Sheet, record: Record) -> dict[str, Any]:
    names = Names(district)
    want_references(names, sheet, record)
    found = related(names, district, sheet, record)
    extras = extra_listings(names, district, sheet, record)
    names.look_up()
    listings = listings_of(names, district, record, found)
    for number, (words, other, records) in enumerate(extras):
        columns = tuple(column for column in other.columns if column not in (ID, STATUS))
        rows = rows_of(names, other, columns, records[:LISTED])
        listings.append(Listing(words, columns, rows, len(records) > LISTED, "", f"extra-{number}"))
    may_see = request.reach.may(Act.SEE_DEMOGRAPHICS, district.pk)
    demographics = _demographics_of(district, sheet, record) if may_see else None
    return {
        "nav": "roster",
        "sheet": sheet,
        "record": record,
        "name": name_of(record),
        "facts": facts_of(names, sheet, record),
        "metadata": metadata_of(record),
        "people": people_of(district, record) if sheet.collection == "orgs" else [],
        "listings": listings,
        "standing": standing_of(district, sheet, record),
        "owner": owner_of(district, sheet.collection, record),
        "has_demographics": demographics is not None,
        "list_url": reverse("collection", kwargs={"tenant": district.pk, "collection": sheet.collection}),
    }
