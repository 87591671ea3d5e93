"""The catalogue: what is said of an app, its logo; partners, their developers and keys; bearers; mail to developers."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rollbook.store.columns


class Migration(migrations.Migration):

    dependencies = [
        ("store", "0021_roles_audit_keys_and_allowances"),
    ]

    operations = [
        migrations.CreateModel(
            name="Partner",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                ("website", models.CharField(default="", max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Developer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("left_at", models.DateTimeField(null=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="developers", to=settings.AUTH_USER_MODEL)),
                ("partner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="developers", to="store.partner")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("account", "partner"), name="developer_once")]},
        ),
        migrations.CreateModel(
            name="PartnerKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("checksum", models.CharField(max_length=64, unique=True)),
                ("beginning", models.CharField(max_length=30)),
                ("made_by", models.CharField(max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.CharField(default="", max_length=254)),
                ("partner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="store.partner")),
            ],
        ),
        migrations.AddField("app", "partner", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="apps", to="store.partner")),
        migrations.AddField("app", "registered_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="apps", to="store.developer")),
        migrations.AddField("app", "website", models.CharField(default="", max_length=500)),
        migrations.AddField("app", "contact_name", models.CharField(default="", max_length=200)),
        migrations.AddField("app", "contact_email", models.CharField(default="", max_length=254)),
        migrations.AddField("app", "description", models.TextField(default="")),
        migrations.AddField("app", "instructions", models.TextField(default="")),
        migrations.AddField("app", "start_url", models.CharField(default="", max_length=2000)),
        migrations.AddField("app", "redirect_uris", models.JSONField(default=list)),
        migrations.AddField("app", "needs", models.TextField(default="[]")),
        migrations.AddField("app", "in_development", models.BooleanField(default=False)),
        migrations.CreateModel(
            name="Logo",
            fields=[
                ("app", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="logo", serialize=False, to="store.app")),
                ("kind", models.CharField(max_length=20)),
                ("checksum", models.CharField(max_length=64)),
                ("content", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Bearer",
            fields=[
                ("credential", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="bearer", serialize=False, to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ("secret", rollbook.store.columns.EncryptedText()),
                ("checksum", models.CharField(max_length=64, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="DeveloperMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("written_by", models.CharField(max_length=254)),
                ("at", models.DateTimeField()),
                ("template", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=500)),
                ("body", models.TextField()),
                ("recipients", models.JSONField(default=list)),
                ("reason", models.CharField(default="", max_length=500)),
                ("app", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="developer_mails", to="store.app")),
                ("district", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="developer_mails", to="store.district")),
            ],
        ),
    ]
