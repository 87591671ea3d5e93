"""The server as the pull sees it: signed questions below its address, answered by what JSON came. Knows nothing of pages."""

from collections.abc import Callable
from dataclasses import replace

from rollbook.connectors.contract import CannotFetch
from rollbook.connectors.oneroster_rest.address import Rostering, is_same_place, joined
from rollbook.connectors.oneroster_rest.sign_in import MOST_REDIRECTS, REDIRECTS, SignIn, SignInRefused
from rollbook.connectors.oneroster_rest.wire import Answer, Wire

WANTS_MORE = frozenset({401, 403})
"""How servers answer whose token has too few scopes."""


class Server:
    """One service, signed in to."""

    def __init__(self, rostering: Rostering, sign_in: SignIn, wire: Wire) -> None:
        self.rostering = rostering
        self.sign_in = sign_in
        self.wire = wire

    def ask(self, url_of: Callable[[], str], less: Callable[[], bool] = lambda: False) -> Answer:
        """The answer to GET `url_of()`, which is called again before each repetition. Raises GaveUp, SignInRefused, TooMuch."""
        answer = self._asked(url_of, less)
        if answer.status == 401 and self.sign_in.renew():
            answer = self._asked(url_of, less)
        if answer.status in WANTS_MORE and self.rostering.has_resources_at(answer.url):
            return self._asked_with_more(answer, url_of, less)
        if answer.status == 401:
            raise SignInRefused("The server does not accept this sign-in (401).")
        return answer

    def _asked(self, url_of: Callable[[], str], less: Callable[[], bool]) -> Answer:
        return self.wire.patiently(lambda: self._followed(url_of()), less)

    def _asked_with_more(self, answer: Answer, url_of: Callable[[], str], less: Callable[[], bool]) -> Answer:
        """The answer where the sign-in was not enough for resources: once more with what else it can get. A 401 that remains counts as 403
        where rostering still takes this sign-in, and else raises SignInRefused.
        """
        if self.sign_in.widen():
            answer = self._asked(url_of, less)
        if answer.status == 401:
            self.ask(lambda: self.rostering.url("orgs?limit=1&offset=0"))
            return replace(answer, status=403)
        return answer

    def _followed(self, url: str) -> Answer:
        """One request; a redirect is followed to the same place alone, signed anew."""
        for _ in range(MOST_REDIRECTS):
            answer = self.wire.send("GET", url, self.sign_in.headers(url))
            if answer.status not in REDIRECTS:
                return answer
            further = joined(url, answer.header("Location"))
            if not is_same_place(further, self.rostering.base):
                raise CannotFetch("The server leads on to another host, which is not asked in its place.")
            url = further
        raise CannotFetch("The server leads in a circle.")
