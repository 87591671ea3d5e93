"""The `rollbook` command; `python -m rollbook` is the same."""

import sys
from importlib import import_module

from rollbook.ending import Ending


def main() -> None:
    ending = Ending()
    # By name and not above: what is read there registers its own ends.
    ending.code = import_module("rollbook.cli.main").run()
    sys.exit(ending.code)


if __name__ == "__main__":
    main()
