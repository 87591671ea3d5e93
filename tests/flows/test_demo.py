"""The demo starts again on the data of its last start, whatever was tried there meanwhile."""

import pytest

from rollbook.flows.catalogue import browse
from rollbook.flows.demo import set_up
from rollbook.generator.riverbend import PATH
from rollbook.store.models import Account, Connection

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_demo_with_more_connections_starts_again():
    first = set_up("Riverbend", PATH)
    Connection.objects.create(district=first.district, kind="sftp_drop", name="Nightly", prefix="n-")
    again = set_up("Riverbend", PATH)
    assert again.district == first.district
    assert again.loaded.run.outcome == "success"
    assert again.password != first.password
    assert [app.name for app in again.apps] == ["Quorndle Reader", "Tessivale Maths"]
    assert Account.objects.get(email=again.developer).check_password(again.password)
    assert browse().count() < browse(with_development=True).count()
