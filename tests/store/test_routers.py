"""What reading writes lives apart from the rosters on SQLite, and in the one database on PostgreSQL."""

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections, router

from rollbook.store.models import AccessToken, District, Pin
from rollbook.store.routers import homes

READING_HOME = homes()[-1]


def test_rosters_live_in_the_default_database():
    assert router.db_for_write(District) == router.db_for_read(District) == "default"


def test_what_reading_writes_has_a_home_of_its_own():
    assert {router.db_for_write(model) for model in (AccessToken, Pin, Session)} == {READING_HOME}


def test_each_table_is_made_where_its_model_lives_and_nowhere_else(db):
    for model in apps.get_models():
        found = {
            alias
            for alias in homes()
            if model._meta.db_table in connections[alias].introspection.table_names()
        }
        if model._meta.app_label != "oauth2_provider":
            assert found == {router.db_for_write(model)}, model._meta.label


def test_no_key_leads_from_one_file_into_the_other():
    for model in apps.get_models():
        apart = model._meta.label_lower in settings.READING_MODELS
        for field in model._meta.local_fields:
            if field.remote_field and field.db_constraint:
                other = field.remote_field.model._meta.label_lower in settings.READING_MODELS
                assert apart == other, f"{model._meta.label}.{field.name}"
