"""What is asked of every grant before something is done with it: that its app was not removed from the district."""

from rollbook.refusal import Refusal
from rollbook.store.models import Grant


class AppRemoved(Refusal):
    """This app was removed from the district: its history stays, and it can be added again."""


def refuse_removed(grant: Grant) -> None:
    """Raises AppRemoved."""
    if grant.removed_at is not None:
        raise AppRemoved(grant.title)
