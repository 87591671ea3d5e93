"""Roles under /api/v1: a program is told 403 by every address its operator's role does not allow."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from rollbook.api.intake_routes import ROOT, ROUTES
from rollbook.api.sync_routes import OF_SYNC
from rollbook.flows.districts import add_district
from rollbook.flows.roles import MAY, OF_A_PRODUCT, Role
from rollbook.flows.tokens import make_token
from rollbook.store.models import Account, Operator

CLOSED = [route for route in ROUTES if not route.is_open and not route.path.startswith(OF_SYNC)]
OF_ORGANIZATIONS = [route for route in ROUTES if route.path.startswith(OF_SYNC)]


@pytest.mark.parametrize("roles", [OF_A_PRODUCT, (Role.HELP_DESK,)], ids=["of a product", "help desk"])
def test_every_address_refuses_by_the_table(db: None, settings, roles: tuple[Role, ...]):
    settings.RATE_LIMIT = 0
    district = add_district("Riverbend")
    account = Account.objects.create_user("o@tessivale.example")
    for role in roles:
        Operator.objects.create(account=account, district=district, role=role)
    secret = make_token(account, district, "Nightly", datetime.now(UTC))[1]
    barred = [route for route in CLOSED if not {*MAY[route.act]} & {*roles}]
    assert len(barred) > 40
    # What a key of an organization opens no operator's token does, whatever its roles.
    for route, refusal in [*((one, 403) for one in barred), *((one, 401) for one in OF_ORGANIZATIONS)]:
        path = ROOT + re.sub(r"\{\w+\}", "1", route.path)
        for method in route.methods:
            answer = Client().generic(method, path, headers={"Authorization": f"Bearer {secret}"})
            assert answer.status_code == refusal, (method, path)
