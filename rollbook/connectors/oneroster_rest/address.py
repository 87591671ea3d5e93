"""Where a server is: the base address of its rostering service, from whatever was written down, and which hosts are never asked.

Source: OneRoster 1.1 REST §3.1 (`/ims/oneroster/v1p1`), OneRoster 1.2 Rostering REST (`/ims/oneroster/rostering/v1p2`).
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from rollbook.connectors.contract import BadSetting
from rollbook.oneroster.json_binding import resources_address
from rollbook.oneroster.operations import BASES

ENDINGS = {version: BASES[version, "rostering"] for version in ("1.2", "1.1")}
ROOT = "/ims/oneroster"
PORTS = {"http": 80, "https": 443}

_plain = re.compile(r"[A-Za-z0-9\-._~:/?@!&'()*+,;=%]+")
_space = re.compile(r"\s")
_scheme = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Rostering:
    """The rostering service of one version: `base` is its address, to which a collection's path is added. In 1.2 resources are a
    service of their own beside it.
    """

    version: str
    base: str

    def url(self, path: str) -> str:
        path = path.lstrip("/")
        base = resources_address(self.base) if _is_of_resources(path) else self.base
        return f"{base}/{path}"

    def has_resources_at(self, url: str) -> bool:
        return _is_of_resources(url)


def candidates(written: str, version: str, insecure: bool) -> list[Rostering]:
    """The services an address may mean: the one it names, else both, the newer first. Raises BadSetting.

    `written` is a host, a host with a path before the standard's own, or the whole; `version` is 1.1, 1.2 or empty.
    """
    parts = refused_unless_web(written, insecure)
    path = parts.path.rstrip("/")
    named = next((name for name, ending in ENDINGS.items() if path.endswith(ending)), None)
    if named and version and named != version:
        raise BadSetting(f"The address is that of OneRoster {named}, and the version says {version}.")
    if named:
        return [Rostering(named, _origin(parts) + path)]
    stem = path.removesuffix(f"{ROOT}/rostering").removesuffix(ROOT)
    wanted = [version] if version else list(ENDINGS)
    return [Rostering(one, _origin(parts) + stem + ENDINGS[one]) for one in wanted]


def refused_unless_web(written: str, insecure: bool) -> SplitResult:
    """The address in parts. Raises BadSetting for what is no web address, carries a password, or goes unencrypted unasked."""
    text = written.strip()
    try:
        parts = urlsplit(text if _scheme.match(text) else f"https://{text}")
        is_address = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, or a port that is none
        is_address = False
    if not is_address or _space.search(text):
        raise BadSetting("This is not a web address: it begins with https:// and a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadSetting("The address is a host and a path alone: no name, password, question mark or #.")
    if parts.scheme == "http" and not insecure and not _is_loopback(parts.hostname):
        raise BadSetting("The address is not encrypted (http://). Use https://, or allow it by “insecure”.")
    return parts


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what two addresses of one server have in common."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").casefold(), parts.port or PORTS.get(parts.scheme, 0)


def is_same_place(url: str, other: str) -> bool:
    """Whether both are one server, or the first is the same host asked more safely (https on its own port)."""
    try:
        there, here = origin(url), origin(other)
    except ValueError:
        return False
    return there == here or (there[0] == "https" and there[2] == 443 and here[:2] == ("http", there[1]))


def joined(url: str, target: str) -> str:
    """The address a link or a redirect means; empty where it is none, or has letters no address has."""
    try:
        found = urljoin(url, target.strip())
    except ValueError:
        return ""
    return found if target.strip() and _plain.fullmatch(found) else ""


def refuse_forbidden_host(url: str) -> None:
    """Raises BadSetting where the host is an address no roster server has: link-local (cloud metadata among them), multicast, none."""
    host = urlsplit(url).hostname or ""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return  # A name that leads nowhere is told of by the request itself.
    for text in found:
        address = ipaddress.ip_address(text.split("%")[0])
        if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
            raise BadSetting(f"{host} is an address that is never asked ({address}).")


def _is_of_resources(url: str) -> bool:
    return urlsplit(url).path.rpartition("/")[2] == "resources"


def _origin(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
