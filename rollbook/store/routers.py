"""Which database a model lives in: what reading writes has a file of its own on SQLite. PostgreSQL has one database."""

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Model


class ReadingRouter:
    """Django's database router over `settings.READING_MODELS`."""

    def db_for_read(self, model: type[Model], **_: Any) -> str:
        return home(model._meta.label_lower)

    def db_for_write(self, model: type[Model], **_: Any) -> str:
        return home(model._meta.label_lower)

    def allow_relation(self, *_: Any, **__: Any) -> bool:
        """Ids may be held across the two; constraints between them are never made (the models say db_constraint=False)."""
        return True

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_: Any) -> bool:
        if app_label == "oauth2_provider":
            return False  # our own models stand in for all it would make, but for device grants, which Rollbook does not give
        return db == home(f"{app_label}.{(model_name or '').lower()}")


def home(label: str) -> str:
    """The alias of the database that holds the model with this lower-case label."""
    return homes()[-1] if label in settings.READING_MODELS else "default"


def homes() -> tuple[str, ...]:
    """The aliases that are databases of their own: on PostgreSQL `reading` is only another name for `default`."""
    return ("default", "reading") if connections["default"].vendor == "sqlite" else ("default",)
