"""Versions of what a grant lets through, edits that wait for a second person, people who opted out, and the keys of masks."""

import django.db.models.deletion
from django.db import migrations, models

import rollbook.store.columns


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0022_catalogue"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApprovalRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("full", models.BooleanField(default=False)),
                ("demographics", models.BooleanField(default=False)),
                ("people", models.IntegerField(null=True)),
                ("district", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="approval_rule", to="store.district")),
            ],
        ),
        migrations.CreateModel(
            name="GrantVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
                ("rule", models.TextField()),
                ("starts_on", models.CharField(max_length=10, null=True)),
                ("ends_on", models.CharField(max_length=10, null=True)),
                ("by", models.CharField(default="", max_length=200)),
                ("why", models.TextField(default="")),
                ("at", models.DateTimeField()),
                ("grant", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="store.grant")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("grant", "number"), name="grant_version_once")]},
        ),
        migrations.CreateModel(
            name="MaskKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", rollbook.store.columns.EncryptedText()),
                ("grant", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="mask_key", to="store.grant")),
            ],
        ),
        migrations.CreateModel(
            name="OptOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user_id", models.BigIntegerField()),
                ("reason", models.TextField()),
                ("starts_on", models.CharField(max_length=10)),
                ("ends_on", models.CharField(max_length=10, null=True)),
                ("by", models.CharField(max_length=200)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_by", models.CharField(default="", max_length=200)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("district", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="opt_outs", to="store.district")),
                ("grant", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="opt_outs", to="store.grant")),
            ],
            options={"indexes": [models.Index(fields=["district", "user_id"], name="opt_out_person")]},
        ),
        migrations.CreateModel(
            name="PermissionRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.IntegerField()),
                ("rule", models.TextField()),
                ("starts_on", models.CharField(max_length=10, null=True)),
                ("ends_on", models.CharField(max_length=10, null=True)),
                ("reasons", models.JSONField()),
                ("people", models.IntegerField(default=0)),
                ("asked_by", models.CharField(max_length=200)),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("why", models.TextField(default="")),
                ("decision", models.CharField(choices=[("approved", "Approved"), ("rejected", "Rejected"), ("withdrawn", "Withdrawn")], default="", max_length=20)),
                ("decided_by", models.CharField(default="", max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                ("answer", models.TextField(default="")),
                ("grant", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="requests", to="store.grant")),
            ],
            options={"indexes": [models.Index(fields=["grant", "decision"], name="permission_request_open")]},
        ),
    ]
