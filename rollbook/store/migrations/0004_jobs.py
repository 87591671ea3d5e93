from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0003_keeping'),
    ]

    operations = [
        migrations.AddField(
            model_name='plan',
            name='empty',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='plan',
            name='hazards',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='run',
            name='fence',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='run',
            name='process',
            field=models.CharField(default='', max_length=64),
        ),
        migrations.AddField(
            model_name='run',
            name='task',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='run',
            name='turn_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('outcome', '')), fields=['district', 'id'], name='run_open'),
        ),
        migrations.CreateModel(
            name='Progress',
            fields=[
                ('run_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('phase', models.CharField(default='waiting', max_length=40)),
                ('since', models.DateTimeField()),
                ('done', models.BigIntegerField(default=0)),
                ('known', models.BigIntegerField(default=0)),
                ('durations', models.JSONField(default=dict)),
                ('cancelled_by', models.CharField(default='', max_length=200)),
                ('too_late', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('name', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('host', models.CharField(max_length=200)),
                ('process', models.IntegerField()),
                ('started_at', models.DateTimeField()),
                ('beat_at', models.DateTimeField(db_index=True)),
            ],
        ),
    ]
