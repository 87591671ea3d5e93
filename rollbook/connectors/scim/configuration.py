"""What a person fills in for a SCIM server, and the same checked."""

from rollbook.connectors.contract import BadSetting, Filled, Option, Secrets, Settings
from rollbook.connectors.oneroster_rest.address import refused_unless_web

LARGEST_PAGE = 1_000
OPTIONS = (
    Option(
        "url",
        "Address",
        "The address of the SCIM service, to which /Users is added: https://app.example/scim/v2.",
        required=True,
    ),
    Option("token", "Token", "The bearer token that the server gave you.", secret=True, required=True),
    Option("page_size", "Resources a page", "How many to ask for at once, 1 to 1000.", default="200"),
    Option("insecure", "Unencrypted", "yes: allow an address that begins with http://.", default="no", choices=("no", "yes")),
)  # fmt: skip


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """What is kept of what was filled in. Raises BadSetting."""
    insecure = str(settings.get("insecure") or "no") == "yes"
    parts = refused_unless_web(str(settings.get("url") or ""), insecure)
    token = secrets.get("token", "").strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise BadSetting("A token is needed: the server gives it to whoever sends people to it.")
    size = str(settings.get("page_size") or "200")
    if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE:
        raise BadSetting(f"Resources a page: a number from 1 to {LARGEST_PAGE}.")
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    kept = {"url": url, "page_size": int(size), "insecure": "yes" if insecure else "no"}
    return kept, {"token": token}
