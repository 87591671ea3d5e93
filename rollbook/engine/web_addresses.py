"""Which addresses may stand in the catalogue: where an app starts, where a sign-in may lead back to, and a company's site."""

import re
from urllib.parse import urlsplit

from rollbook.refusal import Refusal

MOST = 2000
MOST_REDIRECTS = 20
LOCAL = ("localhost", "127.0.0.1", "::1")

# RFC 3986 §2: nothing else stands in an address; and so no space, no quote, no backslash that browsers read as a slash.
ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


class BadWebAddress(Refusal):
    """Write a whole address that begins with https:// (http:// only for localhost), without a name or password before the host."""


class BadRedirect(Refusal):
    """A redirect URI is one whole address that begins with https:// (http:// only for localhost), without a # and without a *."""


def web_address(text: str) -> str:
    """The address, without spaces around it; empty stays empty. Raises BadWebAddress."""
    address = text.strip()
    if address and not _is_sound(address):
        raise BadWebAddress(address[:200])
    return address


def redirect_uris(texts: list[str]) -> list[str]:
    """The addresses a sign-in may lead back to, once each, in order. Source: RFC 6749 §3.1.2, RFC 9700 §2.1. Raises BadRedirect."""
    uris = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    for uri in uris:
        if not _is_sound(uri) or "#" in uri or "*" in uri:
            raise BadRedirect(uri[:200])
    if len(uris) > MOST_REDIRECTS:
        raise BadRedirect(f"more than {MOST_REDIRECTS}")
    return uris


def _is_sound(address: str) -> bool:
    if len(address) > MOST or not ALLOWED.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL)
