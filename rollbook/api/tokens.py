"""The token endpoint: OAuth 2 client credentials (RFC 6749 §4.4), and no other grant.

oauth-toolkit and oauthlib judge the client and keep the token (its checksum only); what they are told here is which parts of a request
count, which scopes there are, and that a disabled app gets none.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request
from oauthlib.oauth2 import BackendApplicationServer, InvalidRequestError, OAuth2Error

from rollbook.api.callers import is_at_home
from rollbook.client_address import client_address
from rollbook.oneroster import scopes
from rollbook.store.models import AccessToken, Credential

PATH = "/oauth2/token"
LIFETIME = 3600
MOST_BODY = 65_536
FORM = "application/x-www-form-urlencoded"

REGISTERED = tuple(scopes.ALL)
"""Every credential is registered for every scope of the standard, also of services that are not served yet."""

FROM_QUERY = ("grant_type", "scope")

CLIENT = "Rollbook-Client"
"""Under which name oauthlib's request carries the client's address; no header of a request comes that far."""


class AppDisabledError(OAuth2Error):
    """The app is disabled: its key is right, and still there is no token."""

    error = "access_denied"
    description = "This app is disabled here: the district has to enable it."
    status_code = 403


class AddressRefusedError(OAuth2Error):
    """The key is right, and not used from an address it may be used from."""

    error = "access_denied"
    description = (
        "This key is not used from this address: the district says which addresses it may come from."
    )
    status_code = 403


class Validator(OAuth2Validator):
    """oauth-toolkit's validator over our credentials."""

    def _extract_basic_auth(self, request: Request) -> str | None:
        """The encoded part of a Basic header, its scheme in any case (RFC 9110 §11.1)."""
        scheme, _, encoded = str(request.headers.get("Authorization", "")).partition(" ")
        return encoded.strip() if scheme.lower() == "basic" and encoded.isascii() else None

    def _load_application(self, client_id: str, request: Request) -> Credential | None:
        """The key with this client id; one that was revoked or has expired is as good as none."""
        if not client_id or "\0" in client_id:
            return None
        now = timezone.now()
        live = Q(expires_at=None) | Q(expires_at__gt=now)
        found: Credential | None = (
            Credential.objects.select_related("grant")
            .filter(live, client_id=client_id, revoked_at=None)
            .first()
        )
        if found and found.former_secret and found.former_until and found.former_until > now:
            # In memory only: both secrets hold for a while.
            found.client_secret = f"{found.client_secret}\n{found.former_secret}"
        request.client = found
        return found

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        """Whether it is the key's secret, or the former one while that holds."""
        judge = super()._check_secret
        return any(judge(provided_secret, one) for one in stored_secret.split("\n"))

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Request, *_: Any, **__: Any
    ) -> bool:
        """Asked once the client is known by its secret: a stranger does not learn that an app is disabled."""
        if not request.client.grant.enabled:
            raise AppDisabledError(request=request)
        if not is_at_home(request.headers.get(CLIENT), request.client.addresses):
            raise AddressRefusedError(request=request)
        return bool(request.client.allows_grant_type(Credential.GRANT_CLIENT_CREDENTIALS))

    def validate_scopes(self, client_id: str, asked: list[str], *_: Any, **__: Any) -> bool:
        return set(asked) <= set(REGISTERED)

    def get_default_scopes(self, client_id: str, request: Request, *_: Any, **__: Any) -> list[str]:
        return list(REGISTERED)


SERVER = BackendApplicationServer(Validator(), token_expires_in=LIFETIME)


def answer(request: HttpRequest) -> HttpResponse:
    """The answer to whatever was sent to the token endpoint."""
    if request.method != "POST":
        response = _json({"error": "invalid_request", "error_description": "Ask by POST."}, 405)
        response["Allow"] = "POST"
        return response
    try:
        return _token(
            _parameters(request), request.META.get("HTTP_AUTHORIZATION", ""), client_address(request.META)
        )
    except OAuth2Error as refusal:
        return _json(dict(refusal.twotuples), refusal.status_code)


def _token(parameters: list[tuple[str, str]], authorization: str, client: str | None) -> HttpResponse:
    headers, body, status = SERVER.create_token_response(
        settings.PUBLIC_URL + PATH,
        http_method="POST",
        body=urlencode(parameters),
        headers={"Authorization": authorization, "Content-Type": FORM, CLIENT: client or ""},
    )
    response = HttpResponse(body, status=status, content_type="application/json")
    for name, value in headers.items():
        response[name] = value
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="OneRoster"'
    return response


def _parameters(request: HttpRequest) -> list[tuple[str, str]]:
    """The form's parameters; grant type and scope may stand in the address instead. Raises InvalidRequestError."""
    query = _pairs(request.META.get("QUERY_STRING", ""))
    if any(name == "client_secret" for name, _ in query):
        raise InvalidRequestError(
            "A secret does not belong in an address, where logs keep it: send it in the Authorization header or in the form."
        )
    form = _pairs(_form(request))
    given = {name for name, _ in form}
    parameters = [*form, *((name, text) for name, text in query if name in FROM_QUERY and name not in given)]
    return [(name, _sober(text) if name == "scope" else text) for name, text in parameters if text.strip()]


def _form(request: HttpRequest) -> str:
    if not str(request.META.get("CONTENT_TYPE") or FORM).lower().startswith(FORM):
        return ""
    body = request.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        raise InvalidRequestError("The form is too long.")
    return body.decode("utf-8", "replace")


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=100)
    except ValueError as fault:
        raise InvalidRequestError("Too many parameters.") from fault


def _sober(text: str) -> str:
    """Scopes once each, one space apart: some clients write more."""
    return " ".join(dict.fromkeys(text.split()))


def _json(content: dict[str, Any], status: int) -> HttpResponse:
    response = HttpResponse(orjson.dumps(content), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def prune_tokens(now: datetime) -> None:
    """Forgets the tokens that have opened nothing for an hour."""
    AccessToken.objects.filter(expires__lt=now - timedelta(hours=1)).delete()
