"""The sources that the wizard offers, in words: for whom each is, what is filled in, and what to look at where it does not answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from rollbook.connectors import SOURCES
from rollbook.connectors.contract import Option
from rollbook.flows.sync import connections, places
from rollbook.store.models import SyncConnection


@dataclass(frozen=True)
class Source:
    """One way to a roster. `fields` are what is always asked: {option: (label, what it is)}; all other options stand below, with a default.

    `needs` are what is needed beside them, `failures` (what the test says, what to do), for the page that helps.
    """

    slug: str
    kind: str
    words: Any
    says: Any
    icon: str
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    failures: tuple[tuple[Any, Any], ...] = ()
    needs: tuple[tuple[Any, Any], ...] = ()


ONEROSTER = Source(
    "oneroster",
    "oneroster_rest",
    _("A OneRoster server"),
    _("Your student information system, or your roster server, gave you an address, a client id and a client secret."),
    "swap",
    {
        "url": (_("Address"), _("As it was given to you: a host, or the whole address with /ims/oneroster.")),
        "client_id": (_("Client id"), _("Also called consumer key.")),
        "client_secret": (_("Client secret"), _("It is kept encrypted and never shown again.")),
        "token_url": (
            _("Token address"),
            _("Where the server gives tokens, if you were told. Else leave it empty: the test looks for it, and asks whether you trust it."),
        ),
    },
    (
        (
            _("It does not accept this sign-in (401)"),
            _("Client id or secret is wrong, or the key was revoked. Copy both again, without a space before or behind them."),
        ),
        (
            _("It refuses what we ask for (403)"),
            _("The key may not read rosters. Ask for a key with the scope roster-core.readonly."),
        ),
        (
            _("It cannot be reached, or the name is not known"),
            _("Look at the address letter by letter. Where the server lets in only known addresses, ask its people to let this one in."),
        ),
        (
            _("The token address is missing"),
            _("The test found where it may be. If that is an address of the same people, write it under *Token address*."),
        ),
        (
            _("There is no OneRoster at this address (404)"),
            _("Leave out what stands behind the host: the test looks for OneRoster itself."),
        ),
    ),
)  # fmt: skip
PARTNER = Source(
    "partner",
    "partner_listing",
    _("A partner key and a Tenant ID"),
    _("You are the partner of a roster hub. It lists to you which districts added your app; the Tenant ID says which of them is meant."),
    "key",
    {
        "listing": (_("Address of the list"), _("Where the hub lists its partner's applications.")),
        "tenant": (_("Tenant ID"), _("The district's number at the hub. The district finds it on its dashboard.")),
        "key": (_("Partner key"), _("It is kept encrypted and never shown again.")),
    },
    (
        (
            _("The hub does not accept this partner's key"),
            _("Make a new key in the hub's console, and write it here."),
        ),
        (
            _("The list has no such district"),
            _("The Tenant ID is another, or the district has not added the app yet. Ask it to add the app and to let it read."),
        ),
        (
            _("Its application is not enabled"),
            _("The district has added the app and not switched it on. Ask it to."),
        ),
    ),
)  # fmt: skip
SFTP = Source(
    "sftp",
    "sftp_pull",
    _("CSV files on an SFTP server"),
    _("Your student information system puts a zip or a folder with OneRoster CSV files on a server, every night."),
    "imports",
    {
        "host": (_("Server"), _("Its name or address, for example sftp.example.org.")),
        "login": (_("Login"), _("The name to sign in with.")),
        "password": (_("Password"), _("Leave it out where a private key is given below.")),
        "path": (_("Path"), _("A zip, or a folder with CSV files. With a pattern (/out/roster-*.zip) the newest that fits is taken.")),
        "host_key": (_("Accepted host key"), _("Empty at first: the test shows the key. Compare it with what they say, and write it here.")),
    },
    (
        (
            _("It shows a key that was not accepted"),
            _("Compare the key with what the server's people say, write it under *Accepted host key*, and test again."),
        ),
        (_("It does not accept this sign-in"), _("Login, password or private key is wrong.")),
        (
            _("There is nothing at this path"),
            _("Look at the path, with upper and lower case. The export may not have run yet."),
        ),
    ),
)  # fmt: skip
OWN_FOLDER = Source(
    "folder", "own_folder", _("CSV files in a folder of this server"),
    _("Your organization gets a folder of its own on this server, into which a zip or OneRoster CSV files are put, every night."),
    "imports",
    failures=(
        (
            _("There is no CSV file and no zip"),
            _("Nothing was put there yet, or somewhere else. Compare the path letter by letter, and test again."),
        ),
        (
            _("It has CSV files and a zip"),
            _("They could be two rosters. Leave the zip there, or the CSV files."),
        ),
        (
            _("It is not a file: links are not followed"),
            _("Copy the file itself there. A link could lead to what is not yours."),
        ),
        (
            _("It cannot be opened, or cannot be read"),
            _("Who runs this installation looks at it: the folder is gone, or its permissions let nobody read."),
        ),
    ),
    needs=(
        (
            _("A way to put files there"),
            _("A program on this server, or an account by which yours copies them. Who runs this installation gives it to you."),
        ),
        (
            _("The files"),
            _("OneRoster CSV files as your student information system exports them, or a zip of them. Of several zips the newest is read."),
        ),
    ),
)  # fmt: skip
FOLDER = Source(
    "folder", "folder", _("A folder on this server"),
    _("Only who runs this installation can say which folder of the server may be read. They connect it for you."),
    "imports",
)  # fmt: skip

OFFERED: Mapping[str, Source] = {one.slug: one for one in (ONEROSTER, PARTNER, SFTP, OWN_FOLDER)}
BY_KIND: Mapping[str, Source] = {one.kind: one for one in (*OFFERED.values(), FOLDER)}


def offered() -> dict[str, Source]:
    """What can be chosen in this installation, by the word in its address."""
    return {slug: one for slug, one in OFFERED.items() if one is not OWN_FOLDER or places.is_open()}


@dataclass(frozen=True)
class Field:
    """One thing to be filled in; `kept` says that a secret is known already. `main`: it is asked of everybody."""

    name: str
    title: Any
    meaning: Any
    value: str
    required: bool
    secret: bool
    lines: bool
    choices: tuple[str, ...]
    kept: bool
    main: bool


def fields_of(request: HttpRequest, source: Source, connection: SyncConnection | None = None) -> list[Field]:
    """What is filled in, as it was typed or is kept; a secret is never sent back."""
    options = {option.name: option for option in SOURCES[source.kind].options}
    secrets = connections.secrets_of(connection) if connection else {}
    names = [*source.fields, *(name for name in options if name not in source.fields)]
    return [_field(request, source, options[name], connection, name in secrets) for name in names]


def filled_of(request: HttpRequest, source: Source) -> dict[str, str]:
    """What was typed, by option name."""
    return {
        option.name: request.POST[option.name]
        for option in SOURCES[source.kind].options
        if option.name in request.POST
    }


def _field(
    request: HttpRequest, source: Source, option: Option, connection: SyncConnection | None, is_kept: bool
) -> Field:
    title, meaning = source.fields.get(option.name, (option.title, option.meaning))
    kept = connection.source_settings.get(option.name, option.default) if connection else option.default
    text = "\n".join(map(str, kept)) if isinstance(kept, list) else _word(kept)
    return Field(
        option.name,
        title,
        meaning,
        "" if option.secret else request.POST.get(option.name, _known(request, source, option.name) or text),
        option.required and not is_kept,
        option.secret,
        option.lines,
        option.choices,
        is_kept,
        option.name in source.fields,
    )


def _known(request: HttpRequest, source: Source, name: str) -> str:
    """The tenant, where it was proved by signing in."""
    return request.GET.get("tenant", "")[:200] if source == PARTNER and name == "tenant" else ""


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
