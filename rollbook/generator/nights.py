"""What happens how often: every event has a period in nights, and an entity's phase says on which nights it falls.

Night K is reckoned from K alone: turns = (K + phase) // period, none of them on night 0.
So nights add up and none has to be made before another.
"""

import datetime

EDIT = 125
"""Every so many nights something changes in a person's record or a class: 0.8 % a night."""
CORRECTION = 250
"""Every so many nights the first day of an enrollment is corrected."""
CHURN = 600
"""Every so many nights the student on a seat leaves the district, and within three nights another joins."""
TRANSFER = 900
"""Every so many nights two students of neighbouring schools change places."""
MOVE = 600
"""Every so many nights a student changes to a parallel class of the same course."""
TURNOVER = 2400
"""Every so many nights a member of staff leaves and the post is filled anew."""
RARE = 200
"""Every so many nights a school's phone or what is known of a birth is corrected."""

FIRST_NIGHT = datetime.date(2026, 9, 14).toordinal()


def turns(night: int, phase: int, period: int) -> int:
    """How often the event has happened by `night`."""
    return (night + phase) // period


def latest(night: int, phase: int, period: int) -> int:
    """The night of its last happening; 0 where it never has."""
    happened = turns(night, phase, period)
    return happened * period - phase if happened else 0


def share(turn: int, offset: int, kinds: int, kind: int) -> int:
    """Of `turn` events that take `kinds` kinds in turn, beginning anywhere (`offset`), how many were of `kind`."""
    return (turn + (offset + kind) % kinds) // kinds
