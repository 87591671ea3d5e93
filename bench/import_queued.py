"""One import by whichever worker there is: `python -m bench.import_queued DISTRICT PACKAGE`.

It keeps the delivery, and ends once the run has. Run where ROLLBOOK_… name the installation.
"""

import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from rollbook.flows.jobs.enqueue import enqueue_delivery  # noqa: E402  # models can be named only once Django is set up
from rollbook.store.models import Connection  # noqa: E402  # as above

LOOK = 0.5


def main(district: str, package: Path) -> None:
    """Raises AssertionError where it ends as anything but a success."""
    run = enqueue_delivery(Connection.objects.get(district_id=int(district)), package, "bench")
    while not run.outcome:
        time.sleep(LOOK)
        run.refresh_from_db()
    if run.outcome != "success":
        raise AssertionError(f"The import ended as {run.outcome}: {run.message}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
