"""Under which addresses the broker is found: one issuer for the whole installation. Source: OpenID Connect Discovery 1.0 §3, §4."""

from typing import Any

from django.conf import settings

from rollbook.engine.broker.telling import SCOPES

PATH = "/openid"
WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/keys",
    "end_session_endpoint": "/logout",
}
CLAIMS = (
    "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid", "organization", "district", "member_id", "sourcedId", "role", "roles",
    "sites", "name", "given_name", "family_name", "preferred_username", "email",
)  # fmt: skip


def issuer() -> str:
    """Who we are in our tokens."""
    return str(settings.PUBLIC_URL) + PATH


def description(algorithm: str) -> dict[str, Any]:
    """What the issuer says of itself."""
    return {
        "issuer": issuer(),
        **{name: issuer() + path for name, path in ENDPOINTS.items()},
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": [algorithm],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "select_account"],
        "claim_types_supported": ["normal"],
        "claims_supported": list(CLAIMS),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
