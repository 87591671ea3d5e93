"""How a process of ours ends: what the system takes back anyway is not taken apart object by object, which would be a third of a short command.

All that was to be done at the end is done before: threads are waited for, and whoever registered with `atexit` has had a turn.
"""

import atexit
import os
import sys


class Ending:
    """To be made before whatever else would register with `atexit`: who is first there comes last. `code` is the exit code, once it is known.

    Without one (a fault rose) Python ends the process, and says why.
    """

    def __init__(self, code: int | None = None) -> None:
        self.code = code
        atexit.register(self._end)

    def _end(self) -> None:
        if self.code is None:
            return
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return  # nobody reads it any more: Python knows what that is worth
        os._exit(self.code)
