"""What can be chosen for a field follows from the standard: what a schema requires is masked at most, and passwords there are none."""

from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.treatments import MASK, OMIT, fields_of, is_required, treatments_of, unseen


def test_what_a_schema_requires_can_be_masked_and_never_omitted() -> None:
    for collection in SERVED:
        for field in fields_of(collection):
            choices = treatments_of(collection, field)
            assert (OMIT in choices) is not is_required(collection, field), (collection, field)
            assert len(choices) > 1, "a choice between one thing is none"
    assert treatments_of("users", "givenName") == ("share", "mask", "pseudonymise")
    assert treatments_of("users", "email") == ("share", "omit", "mask", "pseudonymise")
    assert treatments_of("demographics", "birthDate") == ("share", "omit", "mask")


def test_passwords_and_what_does_not_exist_have_no_treatment() -> None:
    for field in ("password", "status", "shoeSize", "metadata."):
        assert treatments_of("users", field) == ()
    assert OMIT in treatments_of("users", "metadata.house")


def test_dates_that_others_hang_on_are_not_masked() -> None:
    assert "startDate" not in fields_of("academicSessions")
    assert MASK not in treatments_of("enrollments", "endDate")


def test_what_is_treated_is_known_by_the_names_of_each_version() -> None:
    treated = ["preferredGivenName", "email", "metadata.house", "agentSourcedIds"]
    assert unseen("users", "1.2", treated) == {"preferredFirstName", "email", "metadata.house", "agents"}
    assert unseen("users", "1.1", treated) == {
        "metadata.preferredFirstName",
        "email",
        "metadata.house",
        "agents",
    }
    for version in ("1.1", "1.2"):
        everything = unseen("demographics", version, fields_of("demographics"))
        members = {member.name for member in ENTITIES[version, "demographics"].members}
        assert members - everything == {"dateLastModified", "sourcedId", "status"}
