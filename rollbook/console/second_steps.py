"""How allauth asks for second steps here, and the gate before every page for who still has to set one up."""

from collections.abc import Callable
from struct import error as struct_error
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from rollbook.console import own_door
from rollbook.console.sessions import address_of
from rollbook.console.sign_in import tell_throttled
from rollbook.flows import second_steps, sign_ins
from rollbook.store.columns import opened, sealed
from rollbook.store.models import Authenticator

ALWAYS_OPEN = frozenset(
    {
        "account_change_password",
        "account_inactive",
        "account_login",
        "account_logout",
        "account_reauthenticate",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_authenticate",
        "mfa_index",
        "mfa_login_webauthn",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_view_recovery_codes",
        "own-door",
        "own-door-back",
        "own-door-go",
        "sessions",
        "session-end",
        "sessions-end-others",
        "validate",
        "validate-finding",
        "validate-findings",
    }
)
"""The names of the pages that who still has to set up a second step may use: they lead to one, or out, or are anybody's."""


class SecondSteps(DefaultMFAAdapter):
    """allauth's second steps: secrets are encrypted like all others, and things have our names."""

    def encrypt(self, text: str) -> str:
        return sealed(text)

    def decrypt(self, encrypted_text: str) -> str:
        return opened(encrypted_text)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:  # noqa: A002  # allauth calls it so
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": "Rollbook"}

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"display_name": entity["name"]}


class OfOurs:
    """Judges a code without waiting for an import, and tells of a wrong one. Mixed into allauth's forms."""

    user: Any
    cleaned_data: dict[str, Any]
    authenticator: Authenticator

    def clean_code(self) -> str:
        try:
            forget_tries = check_rate_limit(self.user)
        except ValidationError:
            tell_throttled(context.request, self.user.email or "")
            raise
        code = str(self.cleaned_data["code"])
        found = second_steps.judge_code(self.user, code)
        if found is None:
            sign_ins.failed_second_step(self.user, address_of(context.request))
            raise get_adapter().validation_error("incorrect_code")
        forget_tries()
        found.user = self.user
        self.authenticator = found
        return code


class CodeForm(OfOurs, AuthenticateForm):  # type: ignore[misc]  # allauth's form says nothing of its types
    """The second step of signing in."""


class CodeAgainForm(OfOurs, ReauthenticateForm):  # type: ignore[misc]  # the same
    """Showing once more who one is, before a sign-in method is changed."""


NO_PASSKEY = (
    AttributeError,
    IndexError,
    InvalidSignature,
    KeyError,
    TypeError,
    ValueError,
    struct_error,
)
"""What reading somebody's passkey raises where it is none, or is not signed by who it names: anybody may send anything."""


class OfAPasskey:
    """Answers what is no passkey as a wrong one is answered. Mixed into allauth's forms."""

    user: Any

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc,no-any-return]  # of allauth's form beside it
        except NO_PASSKEY as fault:
            raise get_adapter().validation_error("incorrect_code") from fault


class PasskeyForm(OfAPasskey, AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth's form says nothing of its types
    """A passkey as the second step."""


class PasskeyAgainForm(OfAPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # the same
    """A passkey, before a sign-in method is changed."""


class PasskeyAloneForm(OfAPasskey, LoginWebAuthnForm):  # type: ignore[misc]  # the same
    """A passkey in the place of the password."""


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # the same
    """A new passkey, as the browser made it."""

    def clean(self) -> Any:
        try:
            return super().clean()
        except NO_PASSKEY as fault:
            raise get_adapter().validation_error("incorrect_code") from fault


class Gate:
    """Middleware. Who has no second step where one is required comes to no page but those that lead to one.

    And who came in by a sign-in service of their district's own is asked about at each step (`own_door`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, arguments: Any, names: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        # Who has no session is nobody: whether they get in is for the page to say.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        if own_door.is_over(request):
            return redirect("account_login")
        if match and match.url_name in ALWAYS_OPEN:
            return None
        account: Any = request.user
        if account.is_authenticated and second_steps.is_missing(account, own_door.shown_in(request)):
            return redirect("mfa_index")
        return None
