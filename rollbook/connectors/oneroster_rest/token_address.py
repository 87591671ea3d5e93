"""Where a server may give its tokens, when nobody has said: the discovery document's word, then the usual places of the same host.

Asked without credentials: an address that answers as a token endpoint does (RFC 6749 §5.2) is named, never used unasked.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from rollbook.connectors.oneroster_rest.address import ROOT, Rostering
from rollbook.connectors.oneroster_rest.wire import Answer, Wire

USUAL = ("/token", "/oauth/token", "/oauth2/token", "/oauth/access_token", "/Token")
DISCOVERY = (
    "discovery/onerosterv1p2rostersservice_openapi3_v1p0.json",
    "discovery/imsorv1p2_rostering_openapi3_v1p0.json",
)


def likely_token_addresses(rostering: Rostering, wire: Wire) -> list[str]:
    """The addresses that look like token endpoints, best first."""
    announced = [url for path in DISCOVERY if (url := _announced(wire.send("GET", rostering.url(path), {})))]
    if announced:
        return announced[:1]
    parts = urlsplit(rostering.base)
    host = f"{parts.scheme}://{parts.netloc}"
    stem = parts.path.split(ROOT)[0]
    places = dict.fromkeys(start + path for start in (rostering.base, host + stem, host) for path in USUAL)
    return [
        url
        for url in places
        if _speaks_of_tokens(wire.send("POST", url, {}, {"grant_type": "client_credentials"}))
    ]


def _announced(answer: Answer) -> str:
    """`tokenUrl` of a discovery document (OneRoster 1.2 §2.5), wherever in it the flow stands."""
    schemes = _object(_object(answer).get("components", {})).get("securitySchemes", {})
    for scheme in schemes.values() if isinstance(schemes, dict) else ():
        flows = scheme.get("flows", {}) if isinstance(scheme, dict) else {}
        url = _object(_object(flows).get("clientCredentials", {})).get("tokenUrl")
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            return url
    return ""


def _speaks_of_tokens(answer: Answer) -> bool:
    return answer.status in (400, 401) and isinstance(_object(answer).get("error"), str)


def _object(given: Any) -> dict[str, Any]:
    if isinstance(given, Answer):
        try:
            given = json.loads(given.body)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, dict) else {}
