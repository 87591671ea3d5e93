"""The codes of findings about what the records say together, and about what changed since the last delivery: the field's experience."""

from rollbook.engine.codes import Code

ROSTER_CODES: tuple[Code, ...] = ()
