"""Jobs: what is to be done is kept as a Run that waits; a worker takes it when it is its district's turn, and walks it in steps.

The Run is the truth. Whatever drives the steps (`drive`) can be replaced; nobody outside this package knows what it is.
"""

from rollbook.flows.jobs.cancel import cancel
from rollbook.flows.jobs.enqueue import (
    enqueue_anew,
    enqueue_comparison,
    enqueue_decision,
    enqueue_delivery,
    enqueue_fetch,
    enqueue_preview,
    enqueue_rehearsal,
    enqueue_relink,
    enqueue_return,
    enqueue_steps,
    enqueue_trial,
    enqueue_undo,
)
from rollbook.flows.jobs.own import carry_out_here, own_process, plan_here, walk_here
from rollbook.flows.jobs.walk import walk, work_off

__all__ = [
    "cancel",
    "carry_out_here",
    "enqueue_anew",
    "enqueue_comparison",
    "enqueue_decision",
    "enqueue_delivery",
    "enqueue_fetch",
    "enqueue_preview",
    "enqueue_rehearsal",
    "enqueue_relink",
    "enqueue_return",
    "enqueue_steps",
    "enqueue_trial",
    "enqueue_undo",
    "own_process",
    "plan_here",
    "walk",
    "walk_here",
    "work_off",
]
