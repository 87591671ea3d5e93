"""What a member was when they were archived, so that they come back as the same."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0036_directory_and_syncs'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='archived_from',
            field=models.CharField(default='', max_length=10),
        ),
    ]
