"""Your account: how one signs in, and where one is signed in. It belongs to whoever looks at it, wherever they work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.recovery_codes.views import ViewRecoveryCodesView
from allauth.mfa.totp.internal.auth import clear_totp_secret
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rollbook.console.sessions import address_of
from rollbook.flows import open_sessions, second_steps
from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.browsers import browser_of
from rollbook.refusal import Refusal
from rollbook.store.models import OpenSession


@dataclass(frozen=True)
class SessionRow:
    """A session as listed."""

    session: OpenSession
    browser: str
    system: str
    is_this: bool


@never_cache
@login_required
def show_ways(request: Any) -> HttpResponse:
    account = request.user
    steps = second_steps.steps_of(account)
    required_by = second_steps.required_by(account)
    context = {
        "nav": "account",
        "tab": "ways",
        "app": next((step for step in steps if step.kind == second_steps.APP), None),
        "passkeys": [step for step in steps if step.kind == second_steps.PASSKEY],
        "codes_left": second_steps.codes_left(account),
        "has_step": bool(steps),
        "is_required": required_by is not None,
        "required_by": required_by,
        "passkeys_work": second_steps.passkeys_work(),
    }
    return render(request, "mfa/index.html", context)


@method_decorator([never_cache, login_required], name="dispatch")
class AddApp(ActivateTOTPView):  # type: ignore[misc]  # allauth's view says nothing of its types
    """An authenticator app: its QR code, and the first code that it shows."""

    template_name = "mfa/app.html"

    def dispatch(self, request: Any, *arguments: Any, **names: Any) -> HttpResponseBase:
        if any(step.kind == second_steps.APP for step in second_steps.steps_of(request.user)):
            return redirect("mfa_index")
        response: HttpResponseBase = super().dispatch(request, *arguments, **names)
        return response

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**names)
        return context | {"nav": "account", "secret": context["form"].secret}

    def form_valid(self, form: Any) -> HttpResponse:
        with as_oneself(self.request):
            has_new_codes = second_steps.add_app(self.request.user, form.secret, address_of(self.request))
        clear_totp_secret(self.request)
        messages.success(self.request, _("The authenticator app is added. It is asked for when you sign in."))
        return redirect("mfa_view_recovery_codes" if has_new_codes else "mfa_index")


@method_decorator([never_cache, login_required], name="dispatch")
class AddPasskey(AddWebAuthnView):  # type: ignore[misc]  # the same
    """A passkey, which the browser makes."""

    template_name = "mfa/passkey.html"

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**names)
        # What was wrong with the form is not among what allauth hands on.
        return context | {"nav": "account", "form": names.get("form") or context["form"]}

    def form_valid(self, form: Any) -> HttpResponse:
        name, credential = form.cleaned_data["name"], form.cleaned_data["credential"]
        try:
            with as_oneself(self.request):
                has_new_codes = second_steps.add_passkey(
                    self.request.user, name, credential, address_of(self.request)
                )
        except Refusal as refusal:
            messages.error(self.request, refusal.words)
            return redirect("mfa_index")
        messages.success(self.request, _("The passkey is added."))
        return redirect("mfa_view_recovery_codes" if has_new_codes else "mfa_index")


@method_decorator([never_cache, login_required], name="dispatch")
class ShowCodes(ViewRecoveryCodesView):  # type: ignore[misc]  # the same
    """The recovery codes, once."""

    template_name = "mfa/codes.html"

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**names)
        return context | {"nav": "account"}


@require_POST
@login_required
@reauthentication_required(app="allauth.mfa")
def make_codes(request: Any) -> HttpResponse:
    """Asked for once more after showing who one is: allauth keeps the form that was sent, and goes on with it."""
    is_done = _tried(request, lambda: second_steps.make_codes(request.user, address_of(request)))
    return redirect("mfa_view_recovery_codes" if is_done else "mfa_index")


@require_POST
@login_required
@reauthentication_required(app="allauth.mfa")
def remove_way(request: Any, number: int) -> HttpResponse:
    if _tried(request, lambda: second_steps.remove_step(request.user, number, address_of(request))):
        messages.success(request, _("It is removed, and opens nothing any more."))
    return redirect("mfa_index")


@never_cache
@login_required
def show_sessions(request: Any) -> HttpResponse:
    this = request.session.session_key
    found = open_sessions.sessions_of(request.user)
    rows = [SessionRow(one, *browser_of(one.agent), is_this=one.key == this) for one in found]
    context = {
        "nav": "account",
        "tab": "sessions",
        "sessions": sorted(rows, key=lambda row: not row.is_this),
        "others": sum(not row.is_this for row in rows),
    }
    return render(request, "mfa/sessions.html", context)


@require_POST
@login_required
def end_session(request: Any, number: int) -> HttpResponse:
    if _tried(request, lambda: open_sessions.end(request.user, number, address_of(request))):
        messages.success(request, _("The session has ended."))
    return redirect("sessions")


@require_POST
@login_required
def end_other_sessions(request: Any) -> HttpResponse:
    with as_oneself(request):
        ended = open_sessions.end_others(request.user, request.session.session_key, address_of(request))
    messages.success(
        request,
        ngettext("%(number)s other session has ended.", "%(number)s other sessions have ended.", ended)
        % {"number": ended},
    )
    return redirect("sessions")


def as_oneself(request: Any) -> Any:
    """What is done in the block is done by who is signed in."""
    return acting(request.user.email or str(request.user.pk), CONSOLE)


def _tried(request: Any, act: Callable[[], None]) -> bool:
    """Whether it was done; why not is said on the next page."""
    try:
        with as_oneself(request):
            act()
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return False
    return True
