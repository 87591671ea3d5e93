"""How packages are given to apps, and each that was given."""

import django.db.models.deletion
from django.db import migrations, models

import rollbook.store.columns


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0023_permissions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("way", models.CharField(choices=[("push", "Push"), ("pickup", "Pickup")], max_length=10)),
                ("version", models.CharField(default="1.2", max_length=4)),
                ("mode", models.CharField(default="bulk", max_length=5)),
                ("template", models.TextField(default="")),
                ("file_name", models.CharField(default="", max_length=100)),
                ("settings", models.JSONField(default=dict)),
                ("secrets", rollbook.store.columns.EncryptedText(default="")),
                ("times", models.JSONField(default=list)),
                ("weekdays", models.JSONField(default=list)),
                ("enabled", models.BooleanField(default=False)),
                ("set_by", models.CharField(default="", max_length=200)),
                ("set_at", models.DateTimeField()),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="export", to="store.grant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("district_id", models.BigIntegerField()),
                ("grant_id", models.BigIntegerField()),
                ("grant_version", models.IntegerField(default=0)),
                ("way", models.CharField(max_length=10)),
                ("version", models.CharField(max_length=4)),
                ("mode", models.CharField(max_length=6)),
                ("template", models.TextField(default="")),
                ("from_publication", models.BigIntegerField(null=True)),
                ("publication", models.BigIntegerField(null=True)),
                ("counts", models.JSONField(default=dict)),
                ("bytes", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(default="", max_length=64)),
                ("file_name", models.CharField(default="", max_length=200)),
                ("kept", models.BooleanField(default=False)),
                ("phase", models.CharField(default="waiting", max_length=20)),
                ("done", models.BigIntegerField(default=0)),
                ("known", models.BigIntegerField(default=0)),
                ("outcome", models.CharField(default="", max_length=10)),
                ("reason", rollbook.store.columns.CodePointText(default="")),
                ("due", models.CharField(default="", max_length=16)),
                ("attempts", models.IntegerField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                ("fence", models.IntegerField(default=0)),
                ("process", models.CharField(default="", max_length=64)),
                ("started_by", models.CharField(default="", max_length=200)),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("picked_up_at", models.DateTimeField(null=True)),
                ("address", models.CharField(default="", max_length=260)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["grant_id", "-started_at"], name="delivery_recent"),
                    models.Index(fields=["district_id", "-started_at"], name="delivery_district"),
                    models.Index(condition=models.Q(("outcome", "")), fields=["id"], name="delivery_open"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("due", ""), _negated=True),
                        fields=("grant_id", "due"),
                        name="delivery_once",
                    )
                ],
            },
        ),
    ]
