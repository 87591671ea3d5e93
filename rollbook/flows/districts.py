"""Districts: how one begins. What comes into it later is told by `ingest`."""

from zoneinfo import available_timezones

from django.db import transaction

from rollbook.flows import audit
from rollbook.flows.names import name_of
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District

UPLOAD = "upload"
"""The kind of the connection by which packages come in from the command line."""

MANUAL = "manual"
"""The kind of the connection that owns what people enter by hand."""


class UnknownTimeZone(Refusal):
    """This is not a time zone: write a name of the tz database, such as America/Chicago or Europe/Madrid."""


class NoSuchDistrict(Refusal):
    """No district has this Tenant ID or name: `rollbook district list` shows them."""


def find_district(tenant_id_or_name: str) -> District:
    """The district with this Tenant ID, else the one of this name. Raises NoSuchDistrict; two of one name count as none."""
    found = None
    if tenant_id_or_name.isdecimal() and len(tenant_id_or_name) < 19:
        found = District.objects.filter(pk=int(tenant_id_or_name)).first()
    if found is None:
        named = District.objects.filter(name=tenant_id_or_name)[:2]
        found = named[0] if len(named) == 1 else None
    if found is None:
        raise NoSuchDistrict(tenant_id_or_name)
    return found


def add_district(name: str, time_zone: str = "UTC") -> District:
    """A new district with the connection its packages come in by. Raises NameNeeded, NameTooLong, UnknownTimeZone."""
    name = name_of(name)
    if time_zone not in available_timezones():
        raise UnknownTimeZone(time_zone)
    with transaction.atomic():
        district = District.objects.create(name=name, time_zone=time_zone)
        Connection.objects.create(district=district, kind=UPLOAD, name="Uploaded packages")
        audit.record(district.pk, "district.add", "district", district.pk, district.name)
    return district
