"""Column types that mean the same on SQLite and PostgreSQL, and the rule for comparing text without case."""

import functools
from collections.abc import Iterable
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models

from rollbook.oneroster.folding import fold

__all__ = ["CodePointText", "EncryptedText", "fold"]


class CodePointText(models.TextField):
    """Text ordered and compared by code point: `C` on PostgreSQL, BINARY (its default) on SQLite."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """As a collation and not as part of the type, which Django also uses where no collation may stand (`text[]`)."""
        collation = {"collation": "C"} if connection.vendor == "postgresql" else {}
        return super().db_parameters(connection) | collation


class EncryptedText(models.TextField):
    """Text encrypted at rest by the first of `ROLLBOOK_FIELD_KEYS`, readable by any of them, so that keys can be rotated."""

    def get_prep_value(self, value: Any) -> Any:
        if value in (None, ""):
            return value
        return sealed(str(value))

    def from_db_value(self, value: Any, *_: Any) -> Any:
        if value in (None, ""):
            return value
        return opened(value)


def sealed(text: str) -> str:
    """The text, encrypted by the first of `ROLLBOOK_FIELD_KEYS`."""
    return _cipher().encrypt(text.encode()).decode("ascii")


def opened(text: str) -> str:
    """What was sealed by any of these keys."""
    return _cipher().decrypt(text.encode("ascii")).decode()


def _cipher() -> MultiFernet:
    keys: Iterable[str] = settings.FIELD_KEYS
    return MultiFernet([Fernet(key) for key in keys])


@functools.cache
def column_of(field: str) -> str:
    """The roster column of a CSV 1.2 field: snake_case, and `…SourcedId(s)` as `…_id(s)`."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    return snake.replace("_sourced_ids", "_ids").replace("_sourced_id", "_id")
