"""The catalogue of the demo: made-up companies with made-up apps, so that browsing, searching and the label DEV can be tried."""

from typing import Any

from rollbook.engine.needs import parse_lines
from rollbook.flows.catalogue import enter
from rollbook.flows.partners import add_partner, developers_of, employ
from rollbook.store.models import App, Developer, Partner

PARTNER, DEVELOPER, DEVELOPER_NAME = "Quorndle", "dev@quorndle.example", "Demo developer"

READER, MATHS = "Quorndle Reader", "Tessivale Maths"
"""The two that the demo's district has added."""

OF_THE_PARTNER: tuple[dict[str, Any], ...] = (
    {
        "name": READER,
        "description": "Books for every class, read on any device. Teachers see what their classes have read.",
        "website": "https://quorndle.example/reader",
        "start_url": "https://reader.quorndle.example/start",
        "redirect_uris": ["https://reader.quorndle.example/signed-in", "http://127.0.0.1:8400/signed-in"],
        "instructions": "Send us your Tenant ID once the app is enabled: we switch your schools on by the next morning.",
        "needs": """
            required orgs: books are bought by school
            required classes: reading lists belong to classes
            required enrollments: who is in which class
            required users.email: pupils sign in with it
            optional users.grades: the first books are chosen by grade
            optional demographics.birthDate: some books have an age
        """,
    },
    {
        "name": "Quorndle Aloud",
        "description": "Reading out loud, listened to. Not released yet.",
        "website": "https://quorndle.example/aloud",
        "in_development": True,
        "needs": "required classes: exercises are set by class\nrequired enrollments: who is in which class",
    },
)

OF_THE_OPERATOR: tuple[dict[str, Any], ...] = (
    {
        "name": MATHS,
        "vendor": "Tessivale",
        "description": "Maths from grade 3 to 9, a step at a time.",
        "website": "https://tessivale.example",
        "start_url": "https://maths.tessivale.example",
        "contact_name": "Tessivale, connections",
        "contact_email": "rosters@tessivale.example",
        "needs": "required courses: only those of mathematics\nrequired enrollments: who is in which class",
    },
    {
        "name": "Mirrowick Library",
        "vendor": "Mirrowick",
        "description": "Loans of a school's library, with reminders.",
        "website": "https://mirrowick.example",
        "contact_email": "support@mirrowick.example",
        "needs": "required users.identifier: it stands on the library card",
    },
    {
        "name": "Mirrowick Shelf",
        "vendor": "Mirrowick",
        "description": "Which books a class needs, and where they stand.",
        "contact_email": "support@mirrowick.example",
    },
    {
        "name": "Brambleyard Buses",
        "vendor": "Brambleyard",
        "description": "Who takes which bus. Tried out with two schools at present.",
        "contact_email": "hello@brambleyard.example",
        "in_development": True,
        "needs": "required orgs: stops belong to schools\noptional users.phone: guardians are told when a bus is late",
    },
    {
        "name": "Ovenbirch Surveys",
        "vendor": "Ovenbirch",
        "description": "Questionnaires for classes; the answers carry no names.",
        "website": "https://ovenbirch.example",
        "contact_email": "help@ovenbirch.example",
        "needs": "required classes: questionnaires go to classes",
    },
)


def enter_catalogue() -> Developer:
    """The catalogue has all of these, and the partner its developer, who is returned. What is there already stays as it is."""
    partner = Partner.objects.filter(name=PARTNER).first() or add_partner(PARTNER, "https://quorndle.example")
    developer = developers_of(partner).filter(account__email=DEVELOPER).first()
    developer = developer or employ(partner, DEVELOPER, DEVELOPER_NAME)
    for entry in OF_THE_PARTNER:
        _enter(entry, developer)
    for entry in OF_THE_OPERATOR:
        _enter(entry, None)
    return developer


def _enter(entry: dict[str, Any], registered_by: Developer | None) -> None:
    if not App.objects.filter(name=entry["name"]).exists():
        enter({**entry, "needs": parse_lines(entry.get("needs", ""))}, registered_by)
