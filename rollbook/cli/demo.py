"""`rollbook demo`: a district to look at and to read from, on this machine, in a data folder of its own."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from django.conf import settings

from rollbook.cli.migrate import migrate_all
from rollbook.cli.restart import restart_with
from rollbook.cli.serve import run_server
from rollbook.early import DEMO_FOLDER, HOST, PORT, settings_of_demo
from rollbook.engine.package import NotAPackage
from rollbook.flows.administrators import ORGANIZATION, SUPPORT
from rollbook.flows.broker.addresses import issuer
from rollbook.flows.broker.clients import redirects_of
from rollbook.flows.demo import Demo, set_up
from rollbook.flows.demo_organizations import DemoOrganization
from rollbook.flows.operators import DISTRICT
from rollbook.generator.riverbend import PATH as RIVERBEND


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(demo)


def demo(
    package: Annotated[
        Path | None,
        typer.Option(
            help="Another roster: a zip or a folder of OneRoster CSV files. Else Riverbend, a made-up district."
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = PORT,
    data: Annotated[Path, typer.Option(help="The demo's data folder, kept between runs.")] = DEMO_FOLDER,
    card: Annotated[
        Path | None, typer.Option(help="Write what is needed to use the demo to this file, as JSON.")
    ] = None,
) -> None:
    """Load a district, create operators, a catalogue, two apps and organizations that take rosters in, and serve until SIGTERM or Ctrl-C.

    Every start sets new passwords and secrets, and says them.
    """
    url = f"http://{HOST}:{port}"
    restart_with(settings_of_demo(data, port))
    settings.SOURCE_FOLDERS.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate_all(verbosity=0)
    try:
        made = set_up(_name_of(package), (package or RIVERBEND).expanduser().absolute())
    except NotAPackage as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from refusal
    if card is not None:
        _write(card, card_of(made, url))
    _tell(made, url)
    run_server(HOST, port)


def _name_of(package: Path | None) -> str:
    return "Riverbend Unified School District" if package is None else package.expanduser().absolute().stem


def _write(card: Path, content: dict[str, object]) -> None:
    """The card holds secrets: only its owner may read it."""
    handle = os.open(card, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")


def card_of(made: Demo, url: str) -> dict[str, Any]:
    """What is needed to use the demo, for programs."""
    return {
        "console": url,
        "operators": [
            {"email": email, "password": made.password, "role": role} for email, role in _operators(made)
        ],
        "developers": [{"email": made.developer, "password": made.password}],
        "district": {"tenantId": made.district.pk, "name": made.district.name},
        "oneroster": _addresses(url),
        "apps": [
            {
                "name": app.name,
                "permission": app.permission,
                "clientId": app.key.client_id,
                "clientSecret": app.key.client_secret,
            }
            for app in made.apps
        ],
        "organizations": [
            {"name": one.name, "preset": one.preset, "rostering": _rostering(url, one)}
            for one in made.organizations
        ],
        "signIn": {
            "broker": issuer(),
            "launchPad": made.sign_in.launch_pad,
            "clientId": made.sign_in.client.client.client_id,
            "clientSecret": made.sign_in.client.secret,
            "redirectUris": redirects_of(made.sign_in.client.client),
            "members": [
                {"name": one.name, "username": one.username, "password": one.password}
                for one in made.sign_in.members
            ],
        },
    }


def _operators(made: Demo) -> list[tuple[str, str]]:
    """Who works in the console: (address, role)."""
    return [
        (made.email, str(DISTRICT)),
        (made.administrator, str(ORGANIZATION)),
        (made.supporter, str(SUPPORT)),
    ]


def _rostering(url: str, organization: DemoOrganization) -> str:
    """The address of its Rostering page; to ask the table of routes would load every page of the console first."""
    return f"{url}/organizations/{organization.number}/rostering"


def _addresses(url: str) -> dict[str, str]:
    return {
        "v1p1": f"{url}/ims/oneroster/v1p1",
        "v1p2": f"{url}/ims/oneroster",
        "tokenUrl": f"{url}/oauth2/token",
    }


def _tell(made: Demo, url: str) -> None:
    addresses = _addresses(url)
    run = made.loaded.run
    lines = [
        f"{made.district.name}, Tenant ID {made.district.pk}. Import: {run.outcome}. {run.message}".rstrip(),
        f"Data folder: {settings.DATA_DIR}",
        "",
        f"Console      {url}",
        f"  sign in    {made.email}",
        f"  password   {made.password}",
        f"  or as      {made.administrator}, who administers the organizations below, with the same password",
        f"             {made.supporter}, of their product's support",
        f"             {made.developer}, a developer of a partner",
        f"OneRoster 1.1  {addresses['v1p1']}",
        f"OneRoster 1.2  {addresses['v1p2']}/rostering/v1p2",
        f"Token URL      {addresses['tokenUrl']}",
        *(
            f"App “{app.name}” ({app.permission})  {app.key.client_id}  {app.key.client_secret}"
            for app in made.apps
        ),
        *(f"Organization “{one.name}” ({one.preset})  {_rostering(url, one)}" for one in made.organizations),
        f"Sign-in broker {issuer()}  {made.sign_in.client.client.client_id}  {made.sign_in.client.secret}",
        f"Launch pad     {made.sign_in.launch_pad}",
        *(f"  come in as {one.username}, {one.name}  {one.password}" for one in made.sign_in.members),
        "",
        "Passwords and secrets are new at every start of the demo. Try this:",
        f"  curl -s -u {made.apps[0].key.client_id}:{made.apps[0].key.client_secret} "
        f"-d grant_type=client_credentials {addresses['tokenUrl']}",
        f"  curl -s -H 'Authorization: Bearer <access_token>' {addresses['v1p1']}/schools",
        "",
        "Ctrl-C ends it.",
    ]
    typer.echo("\n".join(lines))
