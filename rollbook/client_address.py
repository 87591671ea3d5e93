"""Which IP address a request came from; what a proxy says is believed only of proxies the settings name."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.conf import settings

Address = IPv4Address | IPv6Address


def client_address(meta: Mapping[str, Any]) -> str | None:
    """The nearest address of the chain connection ← proxy ← … that is not one of ROLLBOOK_TRUSTED_PROXIES; None when it has no sense."""
    chain = [str(meta.get("REMOTE_ADDR", ""))]
    if settings.TRUSTED_PROXIES:
        chain += reversed(str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(","))
    return _nearest_stranger(chain)


def _nearest_stranger(chain: Iterable[str]) -> str | None:
    """Behind an address that is no proxy of ours, anyone could have written anything: the walk ends there."""
    nearest = None
    for text in chain:
        try:
            address = ip_address(text.strip())
        except ValueError:
            break
        nearest = str(address).partition("%")[0]  # a link-local address may name an interface of the machine
        if not any(address in network for network in settings.TRUSTED_PROXIES):
            break
    return nearest
