"""A partner's key may have an end, and a company's site an address as long as others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0032_buckets_and_throttles"),
    ]

    operations = [
        migrations.AddField("partnerkey", "expires_at", models.DateTimeField(null=True)),
        migrations.AlterField("partner", "website", models.CharField(default="", max_length=2000)),
        migrations.AlterField("app", "website", models.CharField(default="", max_length=2000)),
    ]
