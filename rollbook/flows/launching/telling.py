"""What happens at a launch pad while nobody is proved to be there, as the audit log tells it: noted beside the roster's file.

That somebody came in is not: thousands do every morning, and when each last did stands beside them.
"""

import time
from collections.abc import Mapping
from typing import Any

from rollbook.flows import audit
from rollbook.flows.acting import CONSOLE
from rollbook.flows.sign_ins import NOT_SIGNED_IN
from rollbook.store.models import AuditNote


def tell(district_id: int, act: str, sourced_id: str, after: Mapping[str, Any] | None = None) -> None:
    """`act` happened to this person, who is named by the id they have in the roster; empty: nobody knows who it was."""
    AuditNote.objects.create(
        chains=[district_id],
        at=time.time_ns() // 1_000_000,
        actor=NOT_SIGNED_IN,
        door=CONSOLE,
        act=act,
        kind="person" if sourced_id else "launch pad",
        object=sourced_id or str(district_id),
        about="",
        after=audit.canonical(after),
    )
