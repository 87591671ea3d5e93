"""Rollbook, the open roster hub for schools."""

import gc

# Some 1,500 modules are half a million objects that stay: at Python's own pace the collector goes through them again and again while they are
# read, which is a fifth of what a process costs to start.
gc.set_threshold(50_000, 20, 50)
