from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0012_usernames'),
    ]

    operations = [
        migrations.AddField(
            model_name='grant',
            name='starts_on',
            field=models.CharField(max_length=10, null=True),
        ),
        migrations.AddField(
            model_name='grant',
            name='ends_on',
            field=models.CharField(max_length=10, null=True),
        ),
        migrations.AlterField(
            model_name='grant',
            name='permission',
            field=models.CharField(choices=[('full', 'Full'), ('basic', 'Basic'), ('none', 'None')], max_length=20),
        ),
    ]
