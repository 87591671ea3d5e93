"""Fetch: a connection's other system is asked for a delivery, which is held against what is stored. What comes of it goes to `ingest`."""

import json
from datetime import datetime
from pathlib import Path

from rollbook.connectors import CONNECTORS
from rollbook.connectors.contract import Fetched, Progress
from rollbook.refusal import Refusal
from rollbook.store.models import RECORDS, Connection
from rollbook.store.models.roster import ACTIVE


class NothingToFetch(Refusal):
    """Deliveries of this connection come by themselves: there is nothing to fetch."""


def fetched(connection: Connection, work_folder: Path, now: datetime, progress: Progress) -> Fetched:
    """What the other system gives, in `work_folder`; its certificate is for `ingest.prepare`. Raises NothingToFetch, BadSetting, CannotFetch."""
    connector = CONNECTORS.get(connection.kind)
    if connector is None or connector.fetch is None:
        raise NothingToFetch(connection.kind)
    settings = {**connection.settings, "accepted": accepted_counts(connection)}
    return connector.fetch(settings, json.loads(connection.secrets or "{}"), work_folder, now, progress)


def accepted_counts(connection: Connection) -> dict[str, int]:
    """How many records of each collection are stored of this connection, and not deleted."""
    own = {"district": connection.district_id, "connection_id": connection.pk, "status": ACTIVE}
    return {collection: model.objects.filter(**own).count() for collection, model in RECORDS.items()}
