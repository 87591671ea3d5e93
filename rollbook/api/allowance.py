"""How many requests and records an app may take in a day, from midnight to midnight UTC, where its district has said so.

What was taken is counted with the access rows, which are written half a second later at most: so much more can get through, and of
records a page more than is allowed, for nobody knows before reading how many it has.
"""

from rollbook.api import access_log
from rollbook.api.callers import Caller
from rollbook.api.refusals import AllowanceUsed
from rollbook.store.models import DailyUse

DAY = 86_400_000


def judge(caller: Caller, now: int) -> None:
    """Raises AllowanceUsed when the day's allowance is used up. `now` is in milliseconds UTC."""
    if caller.requests is None and caller.records is None:
        return
    requests, records = used(caller.reader.grant_id, now // DAY)
    over = caller.requests is not None and requests >= caller.requests
    if over or (caller.records is not None and records >= caller.records):
        raise AllowanceUsed((DAY - now % DAY + 999) // 1000)


def used(grant_id: int, day: int) -> tuple[int, int]:
    """The requests and records of that day, those that wait in this process to be written among them."""
    rows = DailyUse.objects.filter(grant_id=grant_id, day=day).values_list("requests", "records")
    requests, records = next(iter(rows), (0, 0))
    waiting = access_log.waiting_use(grant_id, day)
    return requests + waiting[0], records + waiting[1]
