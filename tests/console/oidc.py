"""A real OpenID Connect provider as a process of its own (npm's oidc-provider), and how somebody signs in there in a browser."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

CLIENT_ID, SECRET = "rollbook", "a secret between two processes"
PROGRAM = Path(__file__).parent / "oidc_provider.mjs"


@contextlib.contextmanager
def provider(port: int, people: dict[str, dict[str, object]], *redirects: str) -> Iterator[None]:
    """It answers at 127.0.0.1 while the block runs; `people` are {name typed there: claims}."""
    node = shutil.which("node")
    assert node, "script/assets brings what the npm lock has; node comes with npm"
    process = subprocess.Popen(
        [node, PROGRAM, str(port), " ".join(redirects), json.dumps(people)], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


def sign_in_there(page: Page, who: str) -> None:
    """The provider's two pages: who it is, and that they agree."""
    page.locator("input[name=login]").fill(who)
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()
