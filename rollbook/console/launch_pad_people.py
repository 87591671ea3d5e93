"""What people come in by at the launch pad, as the district hands it out: passwords, links, PINs, badges printed by class, and letting go.

A school administrator sees the people and classes of their schools.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import qrcode  # type: ignore[import-untyped]  # it brings no types
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, re_path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from qrcode.image.svg import SvgPathImage  # type: ignore[import-untyped]

from rollbook.console.access import Act, in_district
from rollbook.flows.launching import badges, pads, passwords, people
from rollbook.flows.launching.people import Schools, Standing, name_of
from rollbook.refusal import Refusal
from rollbook.store.models import Class, District, Org, User

DEEDS = ("password", "pin", "link", "badge", "revoke", "unlock", "reset")


@dataclass(frozen=True)
class Printed:
    """A badge on the sheet: `picture` is its QR code as a data: address, `code` the same for who has no camera."""

    name: str
    code: str
    picture: str
    pin: str = ""
    has_pin: bool = False


def badge_address(district: District, code: str) -> str:
    """What the QR code says. By the Tenant ID, which never changes; the secret stands behind the #."""
    return f"{settings.PUBLIC_URL}{reverse('launch-badge', kwargs={'place': str(district.pk)})}#{code}"


def link_address(district: District, secret: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('launch-link', kwargs={'place': str(district.pk)})}#{secret}"


def picture_of(address: str) -> str:
    drawn = qrcode.make(address, image_factory=SvgPathImage, box_size=10, border=2).to_string()
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn).decode()}"


@in_district(Act.HAND_OUT_SIGN_INS)
def show_people(request: Any, district: District) -> HttpResponse:
    text = request.GET.get("q", "")[:200]
    found = people.search(district, text, _schools(request, district))
    context = {"nav": "launching", "q": text, "found": people.standings(district, found)}
    return render(request, "launch_pad/people.html", context)


@in_district(Act.HAND_OUT_SIGN_INS)
def show_person(request: Any, district: District, user_id: int) -> HttpResponse:
    return _person_page(request, district, _user_or_404(request, district, user_id), {})


@require_POST
@in_district(Act.HAND_OUT_SIGN_INS)
def turn_person(request: Any, district: District, user_id: int, deed: str) -> HttpResponse:
    user, now = _user_or_404(request, district, user_id), datetime.now(UTC)
    try:
        shown, words = _turned(request, district, user, deed, now)
    except Refusal as refusal:
        return _person_page(request, district, user, {"wrong": refusal.words}, 422)
    if deed == "badge":
        return _sheet(request, district, "", [shown])
    if shown:
        return _person_page(request, district, user, {"link": shown})
    messages.success(request, words)
    return redirect("launching-person", tenant=district.pk, user_id=user_id)


def _turned(request: Any, district: District, user: User, deed: str, now: datetime) -> tuple[Any, str]:
    """What is to be shown once, and what is said of what was done."""
    if deed == "password":
        passwords.give_password(user, request.POST.get("password", ""), now)
        return None, _("They come in with it, and choose their own at once.")
    if deed == "pin":
        badges.set_pin(user, request.POST.get("pin", ""))
        return None, _("They have a new PIN.")
    if deed == "link":
        return link_address(district, passwords.make_link(user, now)), ""
    if deed == "badge":
        had = people.standings(district, [user])[0]
        return _printed(district, badges.issue([user], now)[0], has_pin=had.has_pin), ""
    if deed == "revoke":
        badges.revoke(user, now)
        return None, _("The badge opens nothing any more.")
    if deed == "unlock":
        badges.unlock(user)
        return None, _("The badge is open again.")
    passwords.reset([user], now)
    return None, _("They have no password, PIN or badge any more.")


def _person_page(
    request: Any, district: District, user: User, more: dict[str, Any], status: int = 200
) -> HttpResponse:
    standing = people.standings(district, [user])[0]
    context = {"nav": "launching", "one": standing, "person": user, **more}
    return render(request, "launch_pad/person.html", context, status=status)


# --- By class -----------------------------------------------------------------------------------------------------------------------


@in_district(Act.HAND_OUT_SIGN_INS)
def show_classes(request: Any, district: District) -> HttpResponse:
    schools = _schools(request, district)
    orgs = Org.objects.filter(district=district, status="active", type="school").order_by("name", "id")
    orgs = orgs if schools is None else orgs.filter(id__in=schools)
    chosen = request.GET.get("school", "")
    school = int(chosen) if chosen.isdecimal() and len(chosen) < 19 else None
    after = (request.GET.get("title", "")[:500], _number(request.GET.get("after", "")))
    found = people.classes(district, school, schools, after)
    last = found[-1] if len(found) == people.SHOWN else None
    onwards = {"school": chosen, "title": last.title_folded, "after": last.id} if last else {}
    names = {one.id: one.name for one in orgs}
    context = {
        "nav": "launching",
        "classes": [(one, names.get(one.school_id, "")) for one in found],
        "orgs": orgs,
        "school": school,
        "next": urlencode(onwards),
    }
    return render(request, "launch_pad/classes.html", context)


@in_district(Act.HAND_OUT_SIGN_INS)
def show_class(request: Any, district: District, class_id: int) -> HttpResponse:
    taught = _class_or_404(request, district, class_id)
    context = {
        "nav": "launching",
        "taught": taught,
        "pupils": people.standings(district, people.pupils_of(taught)),
    }
    return render(request, "launch_pad/class.html", context)


@require_POST
@in_district(Act.HAND_OUT_SIGN_INS)
def print_badges(request: Any, district: District, class_id: int) -> HttpResponse:
    """New badges for the class, or for those of it who have none; a PIN for who has none. What is shown here is shown once."""
    taught, now = _class_or_404(request, district, class_id), datetime.now(UTC)
    pupils = people.standings(district, people.pupils_of(taught))
    wanted = [one for one in pupils if request.POST.get("whom") == "all" or one.badge_at is None]
    with_pins = request.POST.get("pins") == "yes"
    return printed_sheet(request, district, taught.title or taught.sourced_id, wanted, now, with_pins)


def printed_sheet(
    request: Any,
    district: District,
    title: str,
    wanted: Sequence[Standing],
    now: datetime,
    with_pins: bool = True,
) -> HttpResponse:
    """New badges for these people, and where asked for a PIN for who has none."""
    pins = _new_pins(wanted) if with_pins else {}
    made = badges.issue([one.user for one in wanted], now)
    printed = [
        _printed(district, one, pins.get(one.user.id, ""), had.has_pin)
        for one, had in zip(made, wanted, strict=True)
    ]
    return _sheet(request, district, title, printed)


def _new_pins(wanted: Sequence[Standing]) -> dict[int, str]:
    pins = {one.user.id: badges.random_pin() for one in wanted if not one.has_pin}
    for one in wanted:
        if one.user.id in pins:
            badges.set_pin(one.user, pins[one.user.id])
    return pins


def _printed(district: District, one: badges.Issued, pin: str = "", has_pin: bool = False) -> Printed:
    picture = picture_of(badge_address(district, one.code))
    return Printed(name_of(one.user), badges.in_fours(one.code), picture, pin, has_pin)


def _sheet(request: Any, district: District, title: str, printed: list[Printed]) -> HttpResponse:
    """A page made for printing; it cannot be fetched again. Its address lies below that of the page it was asked for on."""
    address, back = pads.address_of(pads.pad_of(district)), request.path.rpartition("/")[0]
    context = {"title": title, "printed": printed, "district": district, "address": address, "back": back}
    return render(request, "launch_pad/sheet.html", context)


# --- Who it is about ----------------------------------------------------------------------------------------------------------------


def _schools(request: Any, district: District) -> Schools:
    return request.reach.schools(Act.HAND_OUT_SIGN_INS, district.pk)  # type: ignore[no-any-return]  # a request is anything


def _user_or_404(request: Any, district: District, user_id: int) -> User:
    user = User.objects.filter(district=district, id=user_id).first()
    try:
        return people.find_person(district, user.sourced_id if user else "", _schools(request, district))
    except people.NobodyOfThisId:
        raise Http404 from None


def _class_or_404(request: Any, district: District, class_id: int) -> Class:
    taught = Class.objects.filter(district=district, id=class_id).first()
    try:
        return people.find_class(district, taught.sourced_id if taught else "", _schools(request, district))
    except people.NoSuchClass:
        raise Http404 from None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


ROUTES: list[URLPattern | URLResolver] = [
    path("launch-pad/people", show_people, name="launching-people"),
    path("launch-pad/people/<int:user_id>", show_person, name="launching-person"),
    re_path(
        rf"^launch-pad/people/(?P<user_id>\d{{1,18}})/(?P<deed>{'|'.join(DEEDS)})$",
        turn_person,
        name="launching-turn",
    ),
    path("launch-pad/classes", show_classes, name="launching-classes"),
    path("launch-pad/classes/<int:class_id>", show_class, name="launching-class"),
    path("launch-pad/classes/<int:class_id>/badges", print_badges, name="launching-badges"),
]
