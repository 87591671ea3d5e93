"""Who signs in is noted beside the roster's file, and comes into the audit log from there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0030_licences"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("chains", models.JSONField()),
                ("at", models.BigIntegerField()),
                ("actor", models.TextField()),
                ("door", models.CharField(max_length=20)),
                ("act", models.CharField(max_length=60)),
                ("kind", models.CharField(max_length=40)),
                ("object", models.TextField(default="")),
                ("about", models.TextField(default="")),
                ("after", models.TextField(default="{}")),
            ],
        ),
    ]
