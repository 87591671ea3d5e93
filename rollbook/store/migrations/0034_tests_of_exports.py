"""Whether packages could be handed over is tested by a worker."""

from django.db import migrations, models

import rollbook.store.columns


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0033_ends_of_partner_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportTest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("district_id", models.BigIntegerField()),
                ("grant_id", models.BigIntegerField()),
                ("phase", models.CharField(default="waiting", max_length=10)),
                ("done", models.IntegerField(default=0)),
                ("known", models.IntegerField(default=0)),
                ("outcome", models.CharField(default="", max_length=10)),
                ("found", models.JSONField(default=list)),
                ("reason", rollbook.store.columns.CodePointText(default="")),
                ("fence", models.IntegerField(default=0)),
                ("alive_until", models.DateTimeField(null=True)),
                ("started_by", models.CharField(default="", max_length=200)),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["grant_id", "-id"], name="exporttest_recent"),
                    models.Index(condition=models.Q(("outcome", "")), fields=["id"], name="exporttest_open"),
                ],
            },
        ),
    ]
