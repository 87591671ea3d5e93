"""Telling a product that somebody's sign-in is over: one POST of a logout token. Source: OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8."""

import httpx2

from rollbook.connectors.contract import BadSetting
from rollbook.connectors.oneroster_rest.address import refuse_forbidden_host
from rollbook.connectors.openid_connect.server import TIME_OUT


def tell(address: str, token: str) -> str:
    """Empty where it was heard, else what kept it, without a word of the answer: it may hold anything."""
    try:
        refuse_forbidden_host(address)
        with httpx2.Client(timeout=TIME_OUT, follow_redirects=False) as client:
            answer = client.post(address, data={"logout_token": token})
    except BadSetting:
        return "forbidden address"
    except (httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL) as fault:
        return type(fault).__name__
    return "" if answer.status_code in (200, 204) else f"answered {answer.status_code}"
