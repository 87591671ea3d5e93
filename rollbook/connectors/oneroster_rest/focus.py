"""Reading only what belongs to some people, classes and schools: their records, their classes, and who is in these. A package of changes only.

Source: OneRoster 1.1 REST §3.2 (getUser, getClassesForUser, getEnrollmentsForClassInSchool …); 1.2 Rostering REST has the same paths.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from rollbook.connectors.contract import Progress
from rollbook.connectors.oneroster_rest.asking import stripped
from rollbook.connectors.oneroster_rest.certificate import Part, certified
from rollbook.connectors.oneroster_rest.configuration import Configuration
from rollbook.connectors.oneroster_rest.envelope import NoEnvelope, page_of
from rollbook.connectors.oneroster_rest.paging import NOT_OFFERED, Walk, Walker
from rollbook.connectors.oneroster_rest.reading import row_of
from rollbook.connectors.oneroster_rest.server import Server
from rollbook.connectors.oneroster_rest.spool import Spool

READ = ("classes", "users", "enrollments")


def read_focus(
    server: Server, spool: Spool, configuration: Configuration, now: datetime, progress: Progress
) -> tuple[dict[str, Part], set[str]]:
    """What belongs to `configuration.focus` {people, classes, schools: sourcedIds}, and what is odd. Raises CannotFetch."""
    reader = _Reader(server, spool, configuration, now.astimezone(UTC).date().isoformat(), progress)
    focus = configuration.focus
    for person in focus.get("people", ()):
        reader.one("users", person)
        reader.part("classes", f"users/{quote(person, safe='')}/classes")
    for taught in focus.get("classes", ()):
        reader.one("classes", taught)
    for school in focus.get("schools", ()):
        reader.part("classes", f"schools/{quote(school, safe='')}/classes")
        reader.part("users", f"schools/{quote(school, safe='')}/students")
        reader.part("users", f"schools/{quote(school, safe='')}/teachers")
    reader.inside_classes()
    return {collection: reader.judged(collection) for collection in READ}, reader.quirks


class _Reader:
    """A few parts of collections, read into one spool."""

    def __init__(
        self, server: Server, spool: Spool, configuration: Configuration, today: str, progress: Progress
    ) -> None:
        self._server, self._spool, self._today, self._progress = server, spool, today, progress
        self._configuration = replace(configuration, accepted={}, since="")
        self.walks: dict[str, list[Walk]] = {collection: [] for collection in READ}
        self.quirks: set[str] = set()

    def one(self, collection: str, source_id: str) -> None:
        """The record of this id, if the server knows it."""
        path = f"{collection}/{quote(source_id, safe='')}"
        answer = self._server.ask(lambda: self._server.rostering.url(path))
        walk = Walk(offered=answer.status not in NOT_OFFERED, ended="one record")
        self.walks[collection].append(walk)
        if answer.status != 200:
            walk.trouble = "" if answer.status in NOT_OFFERED else answer.words
            return
        version = self._server.rostering.version
        try:
            records = page_of(answer, collection).records
        except NoEnvelope as found:
            walk.trouble = f"the answer is no record: {found}"
            return
        rows = [row for record in records if (row := row_of(version, collection, record, self._today))]
        self._spool.put(collection, (stripped(self._configuration, version, collection, row) for row in rows))

    def part(self, collection: str, path: str) -> None:
        """What lies there of a collection."""
        walker = Walker(
            self._server, collection, self._spool, self._configuration, self._today, self._progress, path
        )
        walk = walker.walked()
        self.walks[collection].append(walk)
        self.quirks |= {f"{collection}: {quirk}" for quirk in walk.quirks}

    def inside_classes(self) -> None:
        """Who is in the classes that were read, and by which enrollments."""
        for taught in list(self._spool.rows("classes")):
            class_id, school = taught["sourcedId"], taught.get("schoolSourcedId", "")
            self.part("users", f"classes/{quote(class_id, safe='')}/students")
            self.part("users", f"classes/{quote(class_id, safe='')}/teachers")
            if school:
                self.part(
                    "enrollments",
                    f"schools/{quote(school, safe='')}/classes/{quote(class_id, safe='')}/enrollments",
                )

    def judged(self, collection: str) -> Part:
        """Whether all that was asked for came; that it is a part only, the package says."""
        records, active = self._spool.counts(collection)
        part = certified(collection, Walk(ended="a part"), records, active, 0)
        trouble = _first_trouble(self.walks[collection])
        return Part({**part.facts, "pages_complete": not trouble}, part.values, trouble)


def _first_trouble(walks: Iterable[Walk]) -> str:
    return next((walk.trouble for walk in walks if walk.trouble), "")
