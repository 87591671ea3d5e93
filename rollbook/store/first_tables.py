"""A database with nothing in it gets its tables as the models stand, and every migration counts as applied: a second instead of a walk
through all that ever changed. That both ways end in the same is for tests/store/test_first_tables.py to say.
"""

from django.apps import apps
from django.db import connections, router
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model


def is_new(alias: str) -> bool:
    """Whether nobody has made a table in it."""
    return not connections[alias].introspection.table_names()


def make(alias: str) -> None:
    """All tables, constraints and indexes, and the list of migrations, in one transaction. What Django fills in `migrate` does afterwards."""
    connection = connections[alias]
    recorder = MigrationRecorder(connection)
    tables: list[type[Model]] = [recorder.Migration, *_models(alias)]
    with connection.schema_editor() as editor:
        for model in tables:
            editor.create_model(model)
        known = MigrationLoader(None).disk_migrations
        recorder.migration_qs.bulk_create(recorder.Migration(app=app, name=name) for app, name in known)


def _models(alias: str) -> list[type[Model]]:
    """Those that live in this database; what joins many to many comes with its model."""
    return [
        model
        for app in apps.get_app_configs()
        for model in router.get_migratable_models(app, alias)
        if model._meta.can_migrate(connections[alias])
    ]
