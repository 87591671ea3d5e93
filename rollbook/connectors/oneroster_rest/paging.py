"""Walking a collection page by page to its end, and noticing on the way whatever speaks against having seen all of it.

Source: OneRoster 1.1 REST §3.4 (limit, offset, Link, X-Total-Count). A short page is not the end, nor is a total that was reached: the
end is an empty page behind the last that names no next one. What was seen is judged in `certificate`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from rollbook.connectors.contract import CannotFetch
from rollbook.connectors.oneroster_rest.address import is_same_place
from rollbook.connectors.oneroster_rest.asking import query, stripped
from rollbook.connectors.oneroster_rest.configuration import Configuration
from rollbook.connectors.oneroster_rest.envelope import NULL, NoEnvelope, Page, page_of
from rollbook.connectors.oneroster_rest.reading import row_of
from rollbook.connectors.oneroster_rest.server import Server
from rollbook.connectors.oneroster_rest.sign_in import SignInRefused
from rollbook.connectors.oneroster_rest.spool import Row, Spool
from rollbook.connectors.oneroster_rest.wire import Answer, TooMuch

ATTEMPTS = 3
"""How often a collection is read from its beginning because it moved under the reader."""

SMALLEST_PAGE = 10
NOT_OFFERED = frozenset({404, 405, 410, 501})
NOT_PERMITTED = frozenset({403})
MAY_REFUSE_TO_CHOOSE = frozenset({400, 404, 405, 422, 501})
LAST_LINK, LAST_LINK_AND_TOTAL = "its last link", "its last link, and the total came"
AT_THE_END = frozenset(
    {"an empty page", "a refusal behind the end", "the end again behind the end", LAST_LINK_AND_TOTAL}
)
STALE_PAGES = 2
"""So many pages with nothing new, one after the other, and the server goes round in circles."""

EMPTY_PAGES = 5
"""So many empty pages one after the other are followed on to the next they name."""


@dataclass
class Walk:
    """What was seen of one collection. `ended` says by what the walk ended, `trouble` why it could not go on.

    `received` counts records as they came, `twice` those whose id had come before, `nameless` those without one. `first` are the ids of
    the first page, which is asked for again at the end; `seams_again` says whether the last record of each page behind it was found at
    its place again then.
    """

    offered: bool = True
    permitted: bool = True
    envelope: bool = True
    pages: int = 0
    received: int = 0
    twice: int = 0
    nameless: int = 0
    totals: set[int | None] = field(default_factory=set)
    revisions: set[str] = field(default_factory=set)
    first: list[str] = field(default_factory=list)
    first_again: bool | None = None
    seams_again: bool | None = None
    smallest_limit: int = 0
    attempts: int = 1
    linked: bool = False
    ended: str = ""
    trouble: str = ""
    quirks: set[str] = field(default_factory=set)

    @property
    def moved(self) -> bool:
        """Whether the collection changed while it was read."""
        again = (self.first_again, self.seams_again)
        return len(self.totals) > 1 or len(self.revisions) > 1 or False in again

    @property
    def total(self) -> int | None:
        return next(iter(self.totals)) if len(self.totals) == 1 else None


def read_collection(
    server: Server,
    collection: str,
    spool: Spool,
    configuration: Configuration,
    today: str,
    progress: Callable[[str], None],
) -> Walk:
    """Reads a collection into the spool, again from its beginning if it moved. Raises TooMuch."""
    for attempt in range(1, ATTEMPTS + 1):
        spool.clear(collection)
        walker = Walker(server, collection, spool, configuration, today, progress)
        walk = walker.walked()
        walk.attempts = attempt
        if not walk.moved or walk.trouble:
            break
    return walk


class Walker:
    """One walk through one collection, or through the part of it that lies at `path`."""

    def __init__(
        self,
        server: Server,
        collection: str,
        spool: Spool,
        configuration: Configuration,
        today: str,
        progress: Callable[[str], None],
        path: str = "",
    ) -> None:
        self._configuration = configuration
        self._path, self._is_part = path or collection, bool(path)
        self._more = "" if path else query(configuration, server.rostering.version, collection)
        self.walk = Walk(smallest_limit=configuration.page_size)
        self._server = server
        self._collection = collection
        self._spool = spool
        self._most_pages = configuration.most_pages
        self._today = today
        self._progress = progress
        self._limit = configuration.page_size
        self._first_limit = configuration.page_size
        self._next = ""
        self._asked: set[str] = set()
        self._stale = 0
        self._empty = 0
        self._by_links = False
        self._null_again = False
        self._last_by_its_links = False
        self._counts_places = True
        self._seams: list[tuple[int, str]] = []

    def walked(self) -> Walk:
        """The walk to its end, however it ends."""
        try:
            while not self.walk.ended and not self.walk.trouble:
                self._go_on()
            if self.walk.ended and self.walk.pages and not self._is_part:
                self._note_what_was_never_said()
                self._look_at_the_first_again()
                if not self.walk.moved and not self.walk.trouble:
                    self._look_at_the_seams_again()
        except TooMuch:
            raise
        except CannotFetch as refusal:
            if isinstance(refusal, SignInRefused) and not self.walk.pages and self._collection == "orgs":
                raise
            self.walk.trouble = refusal.words
        return self.walk

    def _go_on(self) -> None:
        answer = self._server.ask(self._url, self._ask_for_less)
        if answer.status != 200 and self._next:
            self._next = ""
            self.walk.quirks.add("links that lead nowhere")
            return
        if answer.status in MAY_REFUSE_TO_CHOOSE and self._more and not self.walk.pages:
            self._more = ""
            self.walk.quirks.add("refuses to be asked for less than everything")
            return
        if answer.status != 200:
            self._end_by(answer)
            return
        try:
            page = page_of(answer, self._collection)
        except NoEnvelope as found:
            self.walk.envelope = False
            self.walk.trouble = f"the answer is no page of records: {found}"
            return
        self._take(page)

    def _url(self) -> str:
        url = self._next or self._page_url(self._limit, self.walk.received)
        self._asked.add(url)
        return url

    def _page_url(self, limit: int, offset: int) -> str:
        return self._server.rostering.url(f"{self._path}?limit={limit}&offset={offset}{self._more}")

    def _ask_for_less(self) -> bool:
        """Half as many from the same place, if that is less; a link of the server's would ask for as many as before."""
        before, self._next = self._limit, ""
        self._limit = max(self._limit // 2, min(self._limit, SMALLEST_PAGE))
        self.walk.smallest_limit = min(self.walk.smallest_limit, self._limit)
        return self._limit < before

    def _end_by(self, answer: Answer) -> None:
        """A refusal: of the whole collection, of what lies behind its end, or of a page that should be there."""
        walk = self.walk
        if not walk.pages and answer.status in NOT_OFFERED:
            walk.offered, walk.ended = False, "not offered"
        elif not walk.pages and answer.status in NOT_PERMITTED:
            walk.permitted, walk.ended = False, "not permitted"
        elif walk.pages and (walk.total == walk.received or self._last_by_its_links):
            walk.ended = "a refusal behind the end"
            walk.quirks.add("refuses what lies behind the end")
        else:
            walk.trouble = answer.words

    def _take(self, page: Page) -> None:
        self._hear(page)
        if not page.records:
            self._take_nothing(page)
            return
        self._empty = 0
        rows = self._rows(page)
        ids = [row["sourcedId"] for row in rows]
        known = self._spool.known(self._collection, ids)
        if self._is_only_the_end_again(known, ids):
            return
        self._spool.put(self._collection, rows)
        self._count(page, ids, known)
        self._choose_next(page)
        told = f" of {page.total:,}" if page.total else ""
        self._progress(f"{self._collection}: {self.walk.received:,}{told}")

    def _take_nothing(self, page: Page) -> None:
        """An empty page is the end, unless it names a next one; what is no list in the middle of a collection is asked for once more."""
        walk = self.walk
        if NULL in page.quirks and walk.pages and walk.total is None and not self._null_again:
            self._null_again = True
            return
        walk.pages += 1
        self._empty += 1
        leads_on = page.next_url and walk.total != walk.received
        if not leads_on:
            walk.ended = "an empty page"
            return
        walk.quirks.add("empty pages before the end")
        self._by_links = True
        self._next = self._trusted(page.next_url)
        if not self._next or self._empty >= EMPTY_PAGES:
            walk.trouble = "its pages are empty, and yet name a next one"

    def _hear(self, page: Page) -> None:
        """What the page says of the whole; behind the end that is often something else, and no matter."""
        walk = self.walk
        if page.records or not walk.pages:
            walk.totals.add(page.total)
            walk.revisions.add(page.revision)
        walk.quirks |= page.quirks
        walk.linked = walk.linked or bool(page.next_url)

    def _rows(self, page: Page) -> list[Row]:
        """The records that have an id, as rows."""
        version = self._server.rostering.version
        rows = (row_of(version, self._collection, record, self._today) for record in page.records)
        return [stripped(self._configuration, version, self._collection, row) for row in rows if row]

    def _count(self, page: Page, ids: list[str], known: set[str]) -> None:
        walk = self.walk
        walk.pages += 1
        walk.received += len(page.records)
        walk.nameless += len(page.records) - len(ids)
        walk.twice += len(ids) - len(set(ids) - known)
        if len(ids) == len(page.records):
            self._seams.append((walk.received - 1, ids[-1]))
        self._stale = 0 if set(ids) - known else self._stale + 1
        if walk.pages == 1:
            walk.first, self._first_limit = ids, self._limit
            self._learn_the_cap(page)

    def _is_only_the_end_again(self, known: set[str], ids: list[str]) -> bool:
        """Some servers give their last page, or their first, to whoever asks behind the end they announced; and some give everything
        at once, however little was asked for, and again.
        """
        walk = self.walk
        whole = walk.total == walk.received or (walk.total is None and len(walk.first) > self._first_limit)
        if walk.pages and ids and set(ids) <= known and whole:
            walk.ended = "the end again behind the end"
            walk.quirks.add("repeats a page behind the end")
            return True
        return False

    def _learn_the_cap(self, page: Page) -> None:
        """A first page shorter than asked for, with more behind it, says how many the server gives at most."""
        number = len(page.records)
        if SMALLEST_PAGE <= number < self._limit and page.total != number:
            self.walk.quirks.add(f"gives at most {number} at once")
            self._limit = number
            self.walk.smallest_limit = number

    def _choose_next(self, page: Page) -> None:
        """The server's own link where it leads to what comes next, else the place reached by counting."""
        walk = self.walk
        self._next = ""
        self._last_by_its_links = walk.linked and not page.next_url
        if self._stale >= STALE_PAGES:
            walk.trouble = "the server gives the same records again and again"
        elif walk.pages >= self._most_pages:
            raise TooMuch(f"{self._collection} has more than {self._most_pages:,} pages: the pull was ended.")
        elif self._is_part and walk.total == walk.received:
            walk.ended = "its total"  # of a part nothing is concluded from what is not there: the empty page behind it need not be seen
        elif page.next_url:
            self._next = self._trusted(page.next_url)
        elif self._by_links:
            # Behind an empty page places cannot be counted any more.
            walk.ended = LAST_LINK_AND_TOTAL if walk.total == walk.received else LAST_LINK

    def _trusted(self, url: str) -> str:
        """The link, unless it leads to another host, in a circle, or past records (as far as they can be counted): then none."""
        if not is_same_place(url, self._server.rostering.base):
            self.walk.quirks.add("links to another host")
            return ""
        if url in self._asked:
            self.walk.quirks.add("links in a circle")
            return ""
        offset = parse_qs(urlsplit(url).query).get("offset", [""])[0]
        self._counts_places = self._counts_places and bool(offset)
        if offset and offset != str(self.walk.received) and not self._by_links:
            self.walk.quirks.add("links past records")
            return ""
        return url

    def _note_what_was_never_said(self) -> None:
        if self.walk.totals == {None}:
            self.walk.quirks.add("no total")
        if not self.walk.linked and self.walk.received > len(self.walk.first):
            self.walk.quirks.add("no links")

    def _look_at_the_first_again(self) -> None:
        """The first page once more: the same ids, total and revision, or the collection moved."""
        walk = self.walk
        answer = self._server.ask(lambda: self._page_url(self._first_limit, 0))
        if answer.status != 200:
            walk.trouble = f"asked for its first page again, {answer.words}"
            return
        try:
            page = page_of(answer, self._collection)
        except NoEnvelope as found:
            walk.envelope = False
            walk.trouble = f"asked for its first page again, the answer is no page: {found}"
            return
        walk.totals.add(page.total)
        walk.revisions.add(page.revision)
        walk.first_again = [row["sourcedId"] for row in self._rows(page)] == walk.first

    def _look_at_the_seams_again(self) -> None:
        """The last record of each page between the first and the last once more, by its place. Where one that was read earlier went, all
        behind it moved up, and one slipped through between two pages: totals do not tell where another one came.

        The first page was seen again as it was: who does not find its last record by its place is not asked for others.
        """
        walk, between = self.walk, self._seams[1:-1]
        if not between or not self._counts_places or self._by_links or walk.twice:
            return
        self._progress(f"{self._collection}: looking again at {len(between):,} places")
        if self._is_still_at(*self._seams[0]):
            walk.seams_again = all(self._is_still_at(*seam) for seam in between)
        else:
            walk.quirks.add("gives no single records by their place")

    def _is_still_at(self, place: int, source_id: str) -> bool:
        answer = self._server.ask(lambda: self._page_url(1, place))
        try:
            page = page_of(answer, self._collection)
        except NoEnvelope:
            return False
        return answer.status == 200 and source_id in [row["sourcedId"] for row in self._rows(page)]
