"""Jobs: what is to be done is kept as a Run that waits; a worker takes it when it is its district's turn, and walks it in steps.

The Run is the truth. Whatever drives the steps (`drive`) can be replaced; nobody outside this package knows what it is.
"""

from rollbook.flows.jobs.cancel import cancel
from rollbook.flows.jobs.enqueue import (
    enqueue_decision,
    enqueue_delivery,
    enqueue_fetch,
    enqueue_preview,
    enqueue_relink,
    enqueue_return,
    enqueue_undo,
)
from rollbook.flows.jobs.walk import walk, work_off

__all__ = [
    "cancel",
    "enqueue_decision",
    "enqueue_delivery",
    "enqueue_fetch",
    "enqueue_preview",
    "enqueue_relink",
    "enqueue_return",
    "enqueue_undo",
    "walk",
    "work_off",
]
