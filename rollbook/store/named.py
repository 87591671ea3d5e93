"""Pupils and guardians whom a text names: by address, id, username, or given and family name side by side. For text that leaves the house."""

import re

from django.db.models import Q, QuerySet

from rollbook.oneroster.folding import fold
from rollbook.store.models import Role, User

WORDS = re.compile(r"[^\s,;:!?()<>\[\]{}\"“”„‘]+")
MOST_WORDS_OF_A_NAME = 3
PUPILS = ("student", "guardian", "parent", "relative")


def names_pupils(district_id: int, text: str) -> str:
    """The first words of the text by which it names a pupil or a guardian of the district; empty when there are none.

    A username or an id counts where it has a digit or an @: without, it may be any word. A name counts where given and family name
    stand side by side.
    """
    words = [word.strip(".'’…-") for word in WORDS.findall(text)]
    # By a set and not a join: somebody with two roles is one person.
    pupils = Role.objects.filter(district_id=district_id, role__in=PUPILS).values("user_id")
    people = User.objects.filter(district_id=district_id, id__in=pupils)
    return _by_id(people, words) or _by_name(people, [fold(word) for word in words])


def _by_id(people: QuerySet[User], words: list[str]) -> str:
    telling = {word for word in words if "@" in word or (len(word) > 2 and any(map(str.isdigit, word)))}
    folded = {fold(word): word for word in telling}
    found = people.filter(
        Q(email_folded__in=folded) | Q(username_folded__in=folded)
        | Q(identifier__in=telling) | Q(sourced_id__in=telling) | Q(source_id__in=telling)
    ).first()  # fmt: skip
    if found is None:
        return ""
    ids = {found.identifier, found.sourced_id, found.source_id}
    return next(
        word for word in words if word in ids or fold(word) in (found.email_folded, found.username_folded)
    )


def _by_name(people: QuerySet[User], words: list[str]) -> str:
    phrases = {
        " ".join(words[start : start + length])
        for start in range(len(words))
        for length in range(1, MOST_WORDS_OF_A_NAME + 1)
    }
    found = people.filter(family_name_folded__in=phrases, given_name_folded__in=phrases)
    text = f" {' '.join(words)} "
    for given, family in found.values_list("given_name_folded", "family_name_folded").distinct():
        for name in (f"{given} {family}", f"{family} {given}"):
            if f" {name} " in text:
                return name
    return ""
