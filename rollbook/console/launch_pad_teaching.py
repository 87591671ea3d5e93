"""A teacher's own page at the launch pad: what the pupils of their classes come in by, so that nobody has to wait for the office.

A teacher gives PINs, opens locked badges and prints badges, of the active students of the classes they teach; passwords are the district's.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.launch_pad import at_pad, page_of, person_here
from rollbook.console.launch_pad_people import printed_sheet
from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.launching import badges, pads, people, teaching
from rollbook.refusal import Refusal
from rollbook.store.models import Class, LaunchPad, User

View = Callable[..., HttpResponse]


def for_teachers(view: View) -> View:
    """Makes `view(request, pad, taught, …)` answer the class's teacher; who is not in is led to sign in, all others find nothing."""

    @at_pad
    @wraps(view)
    def guarded(request: Any, pad: LaunchPad, class_id: int, **rest: Any) -> HttpResponse:
        person = person_here(request, pad)
        if person is None:
            return redirect("launch-pad", place=pads.place_of(pad))
        try:
            taught = teaching.class_taught(person, class_id)
        except teaching.NotYourClass:
            raise Http404 from None
        with acting(teaching.name_in_the_log(person), CONSOLE):
            return view(request, pad, taught, **rest)

    return guarded


@for_teachers
def show_class(request: Any, pad: LaunchPad, taught: Class) -> HttpResponse:
    return _class_page(request, pad, taught)


def _class_page(request: Any, pad: LaunchPad, taught: Class, wrong: str = "") -> HttpResponse:
    pupils = people.standings(pad.district, people.pupils_of(taught))
    context = {"taught": taught, "pupils": pupils, "wrong": wrong}
    return page_of(request, pad, "launch_pad/teaching.html", context, 422 if wrong else 200)


@require_POST
@for_teachers
def set_pin(request: Any, pad: LaunchPad, taught: Class, user_id: int) -> HttpResponse:
    """A PIN that was typed, or with `unlock` the badge is open again."""
    user = _pupil_or_404(taught, user_id)
    try:
        if "unlock" in request.POST:
            badges.unlock(user)
        else:
            badges.set_pin(user, request.POST.get("pin", ""))
    except Refusal as refusal:
        return _class_page(request, pad, taught, refusal.words)
    messages.success(request, _("Done."))
    return redirect("launch-teaching", place=pads.place_of(pad), class_id=taught.id)


@require_POST
@for_teachers
def print_badges(request: Any, pad: LaunchPad, taught: Class) -> HttpResponse:
    """New badges for those who have none, or for one child whose badge is lost; the sheet is shown once."""
    lost = request.POST.get("lost", "")
    pupils = people.standings(pad.district, people.pupils_of(taught))
    wanted = [one for one in pupils if (str(one.user.id) == lost if lost else one.badge_at is None)]
    return printed_sheet(request, pad.district, taught.title or taught.sourced_id, wanted, datetime.now(UTC))


def _pupil_or_404(taught: Class, user_id: int) -> User:
    found = next((one for one in people.pupils_of(taught) if one.id == user_id), None)
    if found is None:
        raise Http404
    return found


ROUTES: list[URLPattern | URLResolver] = [
    path("/classes/<int:class_id>", show_class, name="launch-teaching"),
    path("/classes/<int:class_id>/pins/<int:user_id>", set_pin, name="launch-teaching-pin"),
    path("/classes/<int:class_id>/badges", print_badges, name="launch-teaching-badges"),
]
