"""A program brings a package every night with nothing but a token and HTTP, and follows what becomes of it; curl is the program."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.cast import COUNTS, riverbend_zip
from tests.installation import Installation, fresh_installation

PATIENCE = 60


def test_a_program_brings_packages_with_a_token(tmp_path: Path):
    with fresh_installation(ROLLBOOK_UPLOAD_MEGABYTES="1") as installation:
        installation.rollbook("district", "add", "Riverbend")
        installation.rollbook(
            "operator", "add", "brandt@riverbend.example", "--district", "1", "--password-stdin",
            stdin="seven quiet herons at noon\n",
        )  # fmt: skip
        token = token_for(installation)
        first = riverbend_zip(tmp_path / "first.zip")
        second = riverbend_zip(
            tmp_path / "second.zip", {"users": {"student-001": {"givenName": "Ama", "enabledUser": "TRUE"}}}
        )
        large = tmp_path / "large.zip"
        large.write_bytes(b"PK" * 600_000)
        with installation.serving(worker=True) as url:
            way_in = f"{url}/api/v1/connections/1/delivery"
            assert curl(token, way_in, first)["state"] == "waiting"
            run = ended(token, f"{url}/api/v1/runs/1")
            assert (run["outcome"], run["changes"]["users"]) == ("success", {"create": COUNTS["users"]})
            shown = curl(token, f"{way_in}?dry_run=1", second, in_chunks=True)
            run = ended(token, shown["href"])
            assert (run["outcome"], run["changes"]) == ("previewed", {"users": {"update": 1}})
            found = curl(token, run["findings"])
            assert "boolean-case" in {one["code"] for one in found["totals"]}
            assert curl(token, way_in, large)["status"] == 413
            assert curl(token, way_in, large, in_chunks=True)["status"] == 413
            assert curl("rollbook_wrong", way_in, first)["status"] == 401


def token_for(installation: Installation) -> str:
    made = installation.rollbook(
        "operator",
        "token",
        "add",
        "brandt@riverbend.example",
        "--district",
        "1",
        "--name",
        "Nightly",
        "--json",
    )
    return str(json.loads(made.stdout)["secret"])


def curl(token: str, url: str, package: Path | None = None, in_chunks: bool = False) -> Any:
    """What the server answers, as JSON; with a package, that is sent. Read from a pipe, it has no length: it goes in chunks."""
    sending = ["--upload-file", "-" if in_chunks else str(package)] if package else []
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--header", f"Authorization: Bearer {token}", *sending, url],
        input=package.read_bytes() if package and in_chunks else b"", capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def ended(token: str, address: str) -> Any:
    """The run at this address, once it has ended."""
    until = time.monotonic() + PATIENCE
    while (run := curl(token, address))["state"] != "ended":
        assert time.monotonic() < until, run
        time.sleep(0.2)
    return run
