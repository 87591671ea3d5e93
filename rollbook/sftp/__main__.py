"""`python -m rollbook.sftp`: the SFTP server as a process of its own; `rollbook serve` and `rollbook sftpd` start it.

With `--beside` it ends when the process that started it does, however that came about.
"""

import os
import signal
import sys
import threading

import django
from django.conf import settings

from rollbook.refusal import Refusal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.sftp.server import run  # noqa: E402  # names models, so only once Django is set up


def main(arguments: list[str]) -> int:
    """The exit code: 0 when a signal has ended it, 1 when it could not start."""
    if "--beside" in arguments:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run(settings.SFTP_HOST, settings.SFTP_PORT, settings.SFTP_HOST_KEY, _ready)
    except Refusal as refusal:
        about = f" ({refusal})" if str(refusal) else ""
        sys.stderr.write(f"{refusal.words}{about}\n")
        return 1
    return 0


def _ready(fingerprint: str) -> None:
    sys.stderr.write(f"SFTP on port {settings.SFTP_PORT}, host key {fingerprint}\n")
    sys.stderr.flush()


def _end_with_parent() -> None:
    """The parent never writes: the pipe says something only when it is gone."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    # An import that is still running would be waited for; it can be killed at any line, and is begun again.
    os._exit(code)
