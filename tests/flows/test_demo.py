"""The demo starts again on the data of its last start, whatever was tried there meanwhile."""

import pytest

from rollbook.flows.demo import set_up
from rollbook.generator.riverbend import PATH
from rollbook.store.models import Connection

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_demo_with_more_connections_starts_again():
    first = set_up("Riverbend", PATH)
    Connection.objects.create(district=first.district, kind="sftp_drop", name="Nightly", prefix="n-")
    again = set_up("Riverbend", PATH)
    assert again.district == first.district
    assert again.loaded.run.outcome == "success"
    assert again.password != first.password
