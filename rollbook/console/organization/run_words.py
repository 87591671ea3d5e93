"""What a sync run wrote down of its end, in the reader's language: sentences that flows write, with their figures. Others stay as they are."""

import re
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from rollbook.console.dates import dated
from rollbook.console.organization.reasons import hold_words
from rollbook.flows.sync.holds import holds_of
from rollbook.store.models import SyncRun

NUMBER = r"(?P<number>\d[\d,]*)"
SENTENCES: tuple[tuple[str, Any], ...] = (
    (r"Nothing changed\.", gettext_lazy("Nothing changed.")),
    (
        rf"{NUMBER} operations done\.",
        ngettext_lazy("%(number)s operation done.", "%(number)s operations done.", "count"),
    ),
    (
        rf"{NUMBER} were not taken\.",
        ngettext_lazy("%(number)s was not taken.", "%(number)s were not taken.", "count"),
    ),
    (
        rf"{NUMBER} were left out\.",
        ngettext_lazy("%(number)s was left out.", "%(number)s were left out.", "count"),
    ),
    (
        rf"{NUMBER} wait for a person: [^.]*\.(?: [^.]*re-links them\.)?",
        ngettext_lazy("%(number)s waits for a person:", "%(number)s wait for a person:", "count"),
    ),
    (
        rf"Read back, {NUMBER} values were not as they had been written\.",
        ngettext_lazy(
            "Read back, %(number)s value was not as it had been written.",
            "Read back, %(number)s values were not as they had been written.",
            "count",
        ),
    ),
    (
        r"The source was not proved to be read whole: nothing was removed for being absent there\.",
        gettext_lazy(
            "The source was not proved to be read whole: nothing was removed for being absent there."
        ),
    ),
    (r"Only shown; nothing was changed\.", gettext_lazy("Only shown; nothing was changed.")),
    (
        r"Nothing of this connection was ever applied: look at it and approve it\.",
        gettext_lazy("Nothing of this connection was ever applied: look at it and approve it."),
    ),
    (r"Cancelled by (?P<who>.+?)\. (?=Nothing|What)", gettext_lazy("Cancelled by %(who)s.")),
    (r"Nothing of it was applied\.", gettext_lazy("Nothing of it was applied.")),
    (
        r"What was done until then stays; the next run finds the rest\.",
        gettext_lazy("What was done until then stays; the next run finds the rest."),
    ),
    (
        r"The source was read; nothing was planned\.",
        gettext_lazy("The source was read; nothing was planned."),
    ),
    (
        r"It was begun again and again and never came to its end\.",
        gettext_lazy("It was begun again and again and never came to its end."),
    ),
    (
        r"What the source gave cannot be read as a whole; see the findings\.",
        gettext_lazy("What the source gave cannot be read as a whole; see the findings."),
    ),
)
"""What flows write (`flows.sync.acting` and its neighbours), each with how it is said."""

WAITING = "wait for a person"


def run_words(run: SyncRun) -> str:
    """The run's message."""
    rest, said = run.message.strip(), []
    while rest:
        found = next(((match, words) for form, words in SENTENCES if (match := re.match(form, rest))), None)
        if found is None:
            # A refusal's message has its translation as a whole; what another system said has none.
            said.append(_(rest))
            break
        match, words = found
        said.append(_filled(words, match.groupdict()))
        if WAITING in match[0]:
            said += [hold_words(one) for one in holds_of(run)[:1]]
        rest = rest[match.end() :].strip()
    return dated(" ".join(said))


def _filled(words: Any, named: dict[str, str]) -> str:
    if "number" not in named:
        return str(words) % named if named else str(words)
    count = int(named["number"].replace(",", ""))
    return str(words % {"count": count, "number": number_format(count, force_grouping=True)})
