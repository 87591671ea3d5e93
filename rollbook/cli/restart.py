"""Starting this command again with other settings: they are read once, before the first verb runs, and never changed after."""

import os
import sys
from collections.abc import Mapping


def restart_with(variables: Mapping[str, str]) -> None:
    """Returns when every variable already has this value; otherwise this process becomes the same command, with them set."""
    if all(os.environ.get(name) == value for name, value in variables.items()):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "rollbook", *sys.argv[1:]], os.environ | dict(variables))
