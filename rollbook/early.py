"""Settings that follow from a command's own options. They stand in the environment before Django reads it, which it does once."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

HOST = "127.0.0.1"
PORT = 8000
DEMO_FOLDER = Path("~/.local/share/rollbook-demo")

Variables = dict[str, str]


def settings_of_demo(data: Path, port: int) -> Variables:
    """The demo's data folder is its own, and so is its database, whatever else is set."""
    return {
        "ROLLBOOK_DATA_DIR": str(data.expanduser().absolute()),
        "ROLLBOOK_DATABASE_URL": "",
        "ROLLBOOK_SOURCE_FOLDERS": str(data.expanduser().absolute() / "folders"),
        "ROLLBOOK_PUBLIC_URL": f"http://{HOST}:{port}",
    }


def settings_of_serve(host: str, port: int, public_url: str) -> Variables:
    """Where nothing is said of the public address, it is the one listened on."""
    return {"ROLLBOOK_PUBLIC_URL": public_url or f"http://{host}:{port}"}


def settings_of(arguments: Sequence[str], environ: Variables) -> Variables:
    """What the arguments of the `rollbook` command, without its own name, say of settings. What cannot be understood is left to the verb."""
    verb, *options = arguments or [""]
    said = VERBS[verb](options, environ) if verb in VERBS else None
    return said or {}


def _of_demo(options: Sequence[str], environ: Variables) -> Variables | None:
    said = _read(options, data=str(DEMO_FOLDER), port=str(PORT))
    return settings_of_demo(Path(said["data"]), int(said["port"])) if said else None


def _of_serve(options: Sequence[str], environ: Variables) -> Variables | None:
    said = _read(options, host=HOST, port=str(PORT))
    public_url = environ.get("ROLLBOOK_PUBLIC_URL", "")
    return settings_of_serve(said["host"], int(said["port"]), public_url) if said else None


VERBS: dict[str, Callable[[Sequence[str], Variables], Variables | None]] = {
    "demo": _of_demo,
    "serve": _of_serve,
}


def _read(options: Sequence[str], **defaults: str) -> Variables | None:
    """The options of these names; None where one makes no sense."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", default=default)
    try:
        said = vars(parser.parse_known_args(options)[0])
    except argparse.ArgumentError:
        return None
    return said if said["port"].isdecimal() else None
