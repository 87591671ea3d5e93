"""A district's launch pad: switched on and off, its address, and who of the district's people comes in by which way."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from rollbook.engine.launching import PASSWORD, WAYS, WayRule, all_ways, in_order, rule_of
from rollbook.flows import audit
from rollbook.refusal import Refusal
from rollbook.store.models import District, LaunchPad, Org

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_SLUG = 60
MOST_RULES = 50


class BadSlug(Refusal):
    """The last part of the address begins with a letter and has small letters, digits and single hyphens, at most 60 of them."""


class SlugTaken(Refusal):
    """Another district's launch pad has this address."""


class NoSuchWay(Refusal):
    """People come in by password, badge or provider; at least one has to be left."""


class NoSuchSchool(Refusal):
    """The roster has no school with this sourcedId."""


class TooManyRules(Refusal):
    """A launch pad has at most 50 rules."""


class PadClosed(Refusal):
    """The launch pad of this district is switched off."""


def pad_of(district: District) -> LaunchPad:
    """Its launch pad; one that was never set up is switched off, and not kept."""
    found = LaunchPad.objects.select_related("district").filter(district=district).first()
    return found or LaunchPad(district=district, ways=[PASSWORD])


def find_pad(place: str) -> LaunchPad:
    """The launch pad at this place of an address: a district's slug, or its Tenant ID. Raises PadClosed where none is open."""
    open_ones = LaunchPad.objects.select_related("district").filter(is_on=True)
    found = open_ones.filter(slug=place).first()
    if found is None and place.isdecimal() and len(place) < 19:
        found = open_ones.filter(district_id=int(place)).first()
    if found is None:
        raise PadClosed
    return found


def place_of(pad: LaunchPad) -> str:
    """What its address ends with."""
    return pad.slug or str(pad.district_id)


def address_of(pad: LaunchPad) -> str:
    """The address that is handed out."""
    return f"{settings.PUBLIC_URL}/launch/{place_of(pad)}"


def rules_of(pad: LaunchPad) -> list[WayRule]:
    return [rule_of(one) for one in pad.rules]


def ways_offered(pad: LaunchPad) -> tuple[str, ...]:
    """The ways by which anybody of the district may come in."""
    return all_ways(rules_of(pad), pad.ways)


def switch(district: District, is_on: bool) -> LaunchPad:
    """From now on the district's people can sign in there, or nobody; who is in then is out at their next step."""
    with transaction.atomic():
        pad = _locked(district)
        pad.is_on = is_on
        pad.save(update_fields=["is_on"])
        _note(pad, "launch_pad.switch_on" if is_on else "launch_pad.switch_off", {})
    return pad


def set_slug(district: District, slug: str) -> LaunchPad:
    """The last part of its address; empty: the Tenant ID. Raises BadSlug, SlugTaken."""
    slug = slug.strip().lower()
    if slug and (len(slug) > LONGEST_SLUG or not SLUG.fullmatch(slug)):
        raise BadSlug(slug[:LONGEST_SLUG])
    with transaction.atomic():
        pad = _locked(district)
        if slug and LaunchPad.objects.filter(slug=slug).exclude(pk=pad.pk).exists():
            raise SlugTaken(slug)
        before, pad.slug = pad.slug, slug or None
        pad.save(update_fields=["slug"])
        _note(pad, "launch_pad.address", {"slug": pad.slug}, {"slug": before})
    return pad


def set_ways(
    district: District, ways: Iterable[str], rules: Iterable[Mapping[str, Any]] | None = None
) -> LaunchPad:
    """Who comes in by which ways. `rules` are {schools: sourcedIds, grades, ways}: the first that fits decides; `ways` are everybody else's.
    None leaves the rules as they are.

    Raises NoSuchWay, NoSuchSchool, TooManyRules.
    """
    usual = _ways(ways)
    with transaction.atomic():
        pad = _locked(district)
        before = {"ways": pad.ways, "rules": pad.rules}
        pad.ways = list(usual)
        if rules is not None:
            pad.rules = [_rule(district, one).told() for one in rules]
        if len(pad.rules) > MOST_RULES:
            raise TooManyRules
        pad.save(update_fields=["ways", "rules"])
        _note(pad, "launch_pad.ways", {"ways": pad.ways, "rules": pad.rules}, before)
    return pad


def _rule(district: District, told: Mapping[str, Any]) -> WayRule:
    wanted = [one.strip() for one in told.get("schools", ()) if one.strip()]
    found = Org.objects.filter(district=district, sourced_id__in=wanted)
    schools = dict(found.values_list("sourced_id", "id"))
    if missing := sorted(set(wanted) - set(schools)):
        raise NoSuchSchool(missing[0][:100])
    grades = frozenset(one.strip()[:20] for one in told.get("grades", ()) if one.strip())
    return WayRule(frozenset(schools.values()), grades, _ways(told["ways"]))


def _ways(given: Iterable[str]) -> tuple[str, ...]:
    wanted = list(given)
    if not wanted or set(wanted) - set(WAYS):
        raise NoSuchWay(", ".join(wanted)[:60])
    return in_order(wanted)


def _locked(district: District) -> LaunchPad:
    LaunchPad.objects.bulk_create([LaunchPad(district=district, ways=[PASSWORD])], ignore_conflicts=True)
    return LaunchPad.objects.select_for_update().select_related("district").get(district=district)


def _note(
    pad: LaunchPad, act: str, after: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> None:
    audit.record(
        pad.district_id, act, "launch pad", pad.district_id, pad.district.name, before=before, after=after
    )
