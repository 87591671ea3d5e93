"""Requests of a minute and tries at signing in are counted for all processes together."""

import rollbook.store.columns
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0031_audit_notes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bucket",
            fields=[
                ("name", rollbook.store.columns.CodePointText(primary_key=True, serialize=False)),
                ("full_at", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="Throttle",
            fields=[
                ("name", rollbook.store.columns.CodePointText(primary_key=True, serialize=False)),
                ("value", models.TextField()),
                ("ends_at", models.BigIntegerField(db_index=True)),
            ],
        ),
    ]
