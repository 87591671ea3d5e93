"""How often one place on the net may set out to a sign-in service, and not be let in, within a minute: counted for all processes together.

A school sits behind one address, and on the first morning of the year a whole class may come too early: so these are many.
"""

from ipaddress import ip_address, ip_network

from django.core.cache import cache

SECONDS = 60
MOST_REFUSED = 100
MOST_SET_OUT = 600


def may_set_out(address: str) -> bool:
    """Counts, and says whether it still may."""
    return _counted(f"set-out:{_place(address)}") <= MOST_SET_OUT


def note_refused(address: str) -> None:
    """Somebody there was not let in."""
    _counted(f"refused:{_place(address)}")


def is_refused_too_often(address: str) -> bool:
    """Whether answers from there are not looked at for now."""
    return int(cache.get(f"refused:{_place(address)}", 0)) >= MOST_REFUSED


def _counted(key: str) -> int:
    if cache.add(key, 1, SECONDS):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # its minute ended in between
        cache.set(key, 1, SECONDS)
        return 1


def _place(address: str) -> str:
    """An address, or the network that one household or school has of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(found) if found.version == 4 else str(ip_network(f"{found}/64", strict=False))
