"""The broker behind its doors: rostered people as their app is told of them, a launch pad as a way in, and ends that are told."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from jwcrypto.jws import JWS

from rollbook.engine.broker.telling import TELLS, claims_about
from rollbook.engine.scope import NONE, Treatment
from rollbook.flows import applications, apps, members
from rollbook.flows.broker import choosing, clients, notices, protocol, subjects, visits
from rollbook.flows.directory import add_organization, add_product, set_app
from rollbook.flows.launching import pads, passwords
from rollbook.flows.launching.standing import AT_THE_PAD, stand
from rollbook.flows.signing_in import entering, providers
from rollbook.store.models import (
    App,
    District,
    Grant,
    Link,
    LogoutNotice,
    SignInClient,
    SyncConnection,
    User,
    Visit,
)
from tests import cast
from tests.console.test_broker import quick_keys
from tests.delivered import a_grant, a_grant_to
from tests.scoping import full

__all__ = ["quick_keys"]

NOW = datetime.now(UTC) + timedelta(hours=1)
SCOPES = ("openid", "profile", "email")


@pytest.fixture
def pad(riverbend: District) -> District:
    pads.switch(riverbend, True)
    return riverbend


def at_the_pad(district: District, sourced_id: str) -> dict[str, object]:
    """The session of a browser at which they stand."""
    user = User.objects.get(district=district, sourced_id=sourced_id)
    session: dict[str, object] = {}
    stand(session, passwords.give_password(user, "violet tractor", NOW, must_change=False), "password", NOW)
    return session


def client_of(app: App, **about) -> SignInClient:
    return clients.add_client(app=app, tells=TELLS, **about).client


def told(client: SignInClient, session) -> dict[str, object]:
    return claims_about(subjects.standing_in(session, client).person, client.tells, SCOPES)


# --- Of an app: rostered people -----------------------------------------------------------------------------------------------------


def test_an_app_is_told_of_a_person_what_it_reads_of_them(pad: District):
    client = client_of(a_grant(pad).app)
    claims = told(client, at_the_pad(pad, cast.AMARA))
    amara = User.objects.get(district=pad, sourced_id=cast.AMARA)
    assert claims["district"] == {"id": str(pad.pk), "name": pad.name}
    assert (claims["sourcedId"], claims["email"], claims["role"]) == (cast.AMARA, amara.email, "student")
    assert {"id": cast.RIVERBEND_HIGH, "name": "Riverbend High School"} in claims["sites"]
    assert (claims["given_name"], claims["family_name"]) == (amara.given_name, amara.family_name)


def test_what_the_app_reads_masked_or_not_at_all_is_in_no_token(pad: District):
    treated = (
        ("users", "sourcedId", Treatment.PSEUDONYMISE), ("users", "email", Treatment.OMIT), ("users", "familyName", Treatment.MASK),
    )  # fmt: skip
    client = client_of(a_grant(pad, full(fields=treated)).app)
    claims = told(client, at_the_pad(pad, cast.AMARA))
    amara = User.objects.get(district=pad, sourced_id=cast.AMARA)
    text = json.dumps(claims)
    assert cast.AMARA not in text
    assert amara.family_name not in text
    assert "email" not in claims
    assert claims["sourcedId"]


def test_of_two_apps_each_knows_a_person_by_a_subject_of_its_own_that_stays(pad: District):
    session = at_the_pad(pad, cast.AMARA)
    one, other = client_of(a_grant(pad).app), client_of(a_grant(pad, app="Another").app)
    first, second = told(one, session)["sub"], told(other, session)["sub"]
    assert first == told(one, at_the_pad(pad, cast.AMARA))["sub"]
    assert len({first, second, told(one, at_the_pad(pad, cast.KOFI))["sub"]}) == 3


@pytest.mark.parametrize("why", ["another school", "nothing", "disabled", "removed"])
def test_who_is_not_shared_with_an_app_does_not_come_to_it(pad: District, why: str):
    grant = {
        "another school": lambda: a_grant_to(pad, "org-middle"), "nothing": lambda: a_grant(pad, NONE),
    }.get(why, lambda: a_grant(pad))()  # fmt: skip
    if why == "disabled":
        apps.disable(grant)
    if why == "removed":
        applications.remove_application(grant, by="x")
    client = client_of(grant.app)
    with pytest.raises(subjects.NotShared):
        subjects.standing_in(at_the_pad(pad, cast.AMARA), client)


def test_the_redirects_are_those_of_the_districts_own_edit_page(pad: District):
    grant = a_grant(pad)
    own = "https://riverbend.vendor.example/in"
    applications.edit_particulars(grant, {"redirect_uris": [own]}, by="x")
    client = client_of(grant.app)
    assert clients.redirects_of(client) == [own]
    Grant.objects.filter(pk=grant.pk).update(own={})
    assert clients.redirects_of(client) == []


@pytest.mark.parametrize("how", ["out of the roster", "pad closed", "disabled"])
def test_a_visit_ends_with_what_it_rests_on(pad: District, how: str):
    grant = a_grant(pad)
    client = client_of(grant.app, logout_uri="https://reader.example/out")
    session = at_the_pad(pad, cast.AMARA)
    visit = visits.begin(session, client, subjects.standing_in(session, client), NOW)
    assert visits.hold(visit, client, NOW) is not None
    assert visits.end_what_is_over(NOW) == 0
    {
        "out of the roster": lambda: User.objects.filter(district=pad, sourced_id=cast.AMARA).update(status="tobedeleted"),
        "pad closed": lambda: pads.switch(pad, False),
        "disabled": lambda: apps.disable(grant),
    }[how]()  # fmt: skip
    assert visits.end_what_is_over(NOW) == 1
    assert Visit.objects.get().why == visits.OVER
    assert visits.hold(Visit.objects.get(), client, NOW) is None


# --- A launch pad as a way into an organization -------------------------------------------------------------------------------------


@pytest.fixture
def garden(pad: District):
    """An organization whose product is an app of the district, with its launch pad as a way in."""
    product = set_app(
        add_product("Reading Garden"), a_grant_to(pad, cast.RIVERBEND_HIGH, app="Reading Garden").app
    )
    organization = add_organization(product, "Riverbend", seats=1)
    roster = SyncConnection.objects.create(organization=organization, name="District", source_kind="rest")
    amara = members.add_member(organization, {"given_name": "Amara"}, ["student"])
    Link.objects.create(
        organization=organization, connection=roster, kind="members", source_id=cast.AMARA, target=str(amara.id), linked_at=NOW
    )  # fmt: skip
    made = providers.add_provider(organization, "launch-pad", tenants=[str(pad.pk)], connection=roster)
    return providers.switch(made, True)


def test_who_stands_at_the_launch_pad_comes_in_takes_a_seat_and_is_the_client_s_subject(pad, garden):
    session = at_the_pad(pad, cast.AMARA)
    entered = entering.enter(garden, subjects.claims_at_the_pad(garden, session), NOW)
    assert (entered.outcome, entered.member.given_name) == ("in", "Amara")
    client = clients.add_client(product=garden.organization.product).client
    session[subjects.MEMBER] = {
        "organization": garden.organization_id,
        "identity": entered.identity.pk,
        "at": 1,
    }
    standing = subjects.standing_in(session, client)
    assert subjects.is_at_the_pad(standing, session)
    session[AT_THE_PAD] = at_the_pad(pad, cast.TOMAS)[AT_THE_PAD]
    assert not subjects.is_at_the_pad(standing, session)
    assert choosing.pad_providers(client, str(pad.pk)) == [garden]
    assert choosing.pad_providers(client, str(pad.pk + 1)) == []


def test_whom_the_district_does_not_share_with_the_product_and_who_is_of_another_district_proves_nothing(
    pad, garden
):
    with pytest.raises(subjects.NotShared):
        subjects.claims_at_the_pad(garden, at_the_pad(pad, cast.KOFI))
    providers.edit_provider(garden, tenants=["999"])
    with pytest.raises(subjects.NobodyThere):
        subjects.claims_at_the_pad(garden, at_the_pad(pad, cast.AMARA))


def test_a_launch_pad_is_set_up_without_an_issuer_a_client_or_a_secret(garden):
    providers.edit_provider(garden, issuer="https://elsewhere.example", client_id="", name="Pad")
    assert (garden.name, garden.client_id) == ("Pad", "launch-pad")
    assert "elsewhere" not in garden.issuer
    assert providers.learn(garden, 0) == ["It is this installation itself."]


# --- Ends that are told -------------------------------------------------------------------------------------------------------------


class Hearing:
    """A product's server that hears of ends, and answers as it is told to."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200


@pytest.fixture
def hearing() -> Iterator[tuple[Hearing, str]]:
    kept = Hearing()

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            kept.heard.append(parse_qs(body)["logout_token"][0])
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept, f"http://127.0.0.1:{server.server_port}/out"
    server.shutdown()
    server.server_close()


def test_a_product_hears_that_somebody_signed_out_and_is_told_again_until_it_has(pad: District, hearing):
    server, address = hearing
    client = client_of(a_grant(pad).app, logout_uri=address)
    session = at_the_pad(pad, cast.AMARA)
    visit = visits.begin(session, client, subjects.standing_in(session, client), NOW)
    assert visits.leave(session, NOW) == 1
    server.status = 503
    assert notices.tell_due(NOW) == 0
    assert LogoutNotice.objects.get().fault == "answered 503"
    assert notices.tell_due(NOW) == 0
    server.status = 200
    assert notices.tell_due(NOW + timedelta(seconds=10)) == 1
    assert not LogoutNotice.objects.exists()
    assert len(server.heard) == 2
    proof = JWS()
    proof.deserialize(server.heard[-1])
    assert proof.jose_header["typ"] == "logout+jwt"
    claims = protocol.ours(server.heard[-1])
    assert (claims["sid"], claims["sub"], claims["aud"]) == (str(visit.pk), visit.subject, client.client_id)
    assert claims["events"] == {notices.EVENT: {}}
    assert "nonce" not in claims


def test_who_does_not_want_to_hear_of_it_is_told_nothing_and_old_things_are_forgotten(pad: District):
    client = client_of(a_grant(pad).app)
    session = at_the_pad(pad, cast.AMARA)
    visits.begin(session, client, subjects.standing_in(session, client), NOW)
    visits.leave(session, NOW)
    assert not LogoutNotice.objects.exists()
    notices.forget_old(NOW + timedelta(days=6))
    assert Visit.objects.count() == 1
    notices.forget_old(NOW + timedelta(days=8))
    assert Visit.objects.count() == 0


def test_another_member_of_the_same_product_ends_the_visit_of_the_one_before(pad: District, garden):
    client = clients.add_client(product=garden.organization.product).client
    session = at_the_pad(pad, cast.AMARA)
    entered = entering.enter(garden, subjects.claims_at_the_pad(garden, session), NOW)
    session[subjects.MEMBER] = {
        "organization": garden.organization_id,
        "identity": entered.identity.pk,
        "at": 1,
    }
    visits.begin(session, client, subjects.standing_in(session, client), NOW)
    assert visits.make_room(session, entered.identity, NOW) == 0
    Visit.objects.update(member_id=0)
    assert visits.make_room(session, entered.identity, NOW) == 1
