from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0011_letters'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['district', 'username_folded'], name='user_by_username'),
        ),
    ]
