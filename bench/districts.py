"""A made-up district in an installation of its own, and what a client does first: asks for a token, fetches a page."""

import base64
import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass

from tests.installation import Installation

V1P1 = "/ims/oneroster/v1p1"


@dataclass(frozen=True)
class Key:
    """A credential."""

    client_id: str
    client_secret: str


def made(installation: Installation, students: int) -> tuple[Key, Key]:
    """Fills the installation with a district; the keys of a full grant and of a school-limited one."""
    folder = installation.data_dir / "package"
    command = [sys.executable, "-m", "bench.make_district", str(students), str(folder)]
    done = subprocess.run(command, env=installation.environ, stdout=subprocess.PIPE, text=True, check=True)
    shown = json.loads(done.stdout)
    full, limited = (
        Key(shown[name]["client_id"], shown[name]["client_secret"]) for name in ("full", "limited")
    )
    return full, limited


def token(url: str, key: Key) -> str:
    """An access token, by client credentials."""
    basic = base64.b64encode(f"{key.client_id}:{key.client_secret}".encode()).decode()
    request = urllib.request.Request(
        f"{url}/oauth2/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["access_token"])


def fetch(url: str, bearer: str) -> tuple[bytes, int]:
    """The body, and the number of records that its collection has in all."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {bearer}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read(), int(answer.headers["X-Total-Count"])
