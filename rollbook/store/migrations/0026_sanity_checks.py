"""What was found in what an app sees, and how often it is looked."""

import django.db.models.deletion
from django.db import migrations, models

import rollbook.store.columns


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0025_apps_by_another_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="SanityPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("times", models.JSONField(default=list)),
                ("weekdays", models.JSONField(default=list)),
                ("limits", models.JSONField(default=dict)),
                ("set_by", models.CharField(default="", max_length=200)),
                ("set_at", models.DateTimeField()),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sanity_plan",
                        to="store.grant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SanityCheck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("district_id", models.BigIntegerField()),
                ("grant_id", models.BigIntegerField()),
                ("grant_version", models.IntegerField(default=0)),
                ("publication", models.BigIntegerField(default=0)),
                ("phase", models.CharField(default="waiting", max_length=10)),
                ("done", models.BigIntegerField(default=0)),
                ("known", models.BigIntegerField(default=0)),
                ("report", models.JSONField(default=dict)),
                ("message", rollbook.store.columns.CodePointText(default="")),
                ("due", models.CharField(default="", max_length=16)),
                ("fence", models.IntegerField(default=0)),
                ("alive_at", models.DateTimeField(null=True)),
                ("started_by", models.CharField(default="", max_length=200)),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["grant_id", "-id"], name="sanity_recent"),
                    models.Index(
                        condition=models.Q(("phase__in", ["waiting", "running"])),
                        fields=["id"],
                        name="sanity_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("due", ""), _negated=True),
                        fields=("grant_id", "due"),
                        name="sanity_once",
                    )
                ],
            },
        ),
    ]
