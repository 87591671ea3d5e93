"""What the browser's tests of signing in begin with, written by a process of an installation of its own: run with the two issuers' addresses."""

import sys
from datetime import UTC, datetime

import django

django.setup()

# Django has to be set up before its models can be imported.
from rollbook.flows import administrators, members  # noqa: E402
from rollbook.flows.directory import add_organization, add_product, add_site  # noqa: E402
from rollbook.flows.signing_in import providers  # noqa: E402
from rollbook.store.models import Link, SyncConnection  # noqa: E402

PASSWORD = "seven quiet herons at noon"


def main(school: str, other: str) -> None:
    """One seat; Ana is in the roster and Ben is not. `School` goes with the roster, `Other` lets in who is active already."""
    organization = add_organization(
        add_product("Reader"), "Riverbend", seats=1, domains=["school.example"], time_zone="America/Chicago"
    )
    site = add_site(organization, "Riverbend High")
    administrators.employ(
        organization.product, organization, "ines@riverbend.example", name="Ines", password=PASSWORD
    )
    roster = SyncConnection.objects.create(
        organization=organization, name="District", source_kind="classlink"
    )
    people = {name: _member(organization, site, *name) for name in (("Ana", "Silva"), ("Ben", "Ortiz"))}
    Link.objects.create(
        organization=organization, connection=roster, kind="members", source_id="u1",
        target=str(people["Ana", "Silva"].id), linked_at=datetime.now(UTC),
    )  # fmt: skip
    about = {"client_id": "rollbook", "client_secret": "a secret between two processes"}
    for name, issuer, more in (("School", school, {"connection": roster}), ("Other", other, {})):
        made = providers.add_provider(organization, "any", name, issuer=issuer, **about, **more)
        providers.switch(made, True)


def _member(organization, site, given, family):
    fields = {"given_name": given, "family_name": family, "email": f"{given.lower()}@school.example"}
    return members.add_member(organization, fields, ["student"], [site])


if __name__ == "__main__":
    main(*sys.argv[1:])
