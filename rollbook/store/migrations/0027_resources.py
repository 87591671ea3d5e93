import django.db.models.deletion
import rollbook.store.columns
from django.db import migrations, models


def as_before(apps, schema_editor):
    """Every grant there is has been told of what was deleted."""
    apps.get_model('store', 'Grant').objects.update(shows_deleted=True)


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0026_sanity_checks'),
    ]

    operations = [
        migrations.AddField(
            model_name='grant',
            name='shows_deleted',
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(as_before, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name='ClassResource',
            fields=[
                ('id', models.BigIntegerField()),
                ('pk', models.CompositePrimaryKey('district_id', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('connection_id', models.BigIntegerField()),
                ('source_id', rollbook.store.columns.CodePointText()),
                ('sourced_id', rollbook.store.columns.CodePointText()),
                ('status', models.CharField(default='active', max_length=11)),
                ('metadata', models.TextField(null=True)),
                ('metadata_folded', models.TextField(null=True)),
                ('title', rollbook.store.columns.CodePointText(null=True)),
                ('class_id', models.BigIntegerField()),
                ('resource_id', models.BigIntegerField()),
                ('district', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='store.district')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['district', 'class_id'], name='store_class_distric_6ea7d7_idx'), models.Index(fields=['district', 'resource_id'], name='store_class_distric_ef99be_idx')],
                'constraints': [models.UniqueConstraint(fields=('district', 'sourced_id'), name='classresource_sourced_id'), models.UniqueConstraint(condition=models.Q(('source_id', models.F('sourced_id')), _negated=True), fields=('district', 'connection_id', 'source_id'), name='classresource_source_id')],
            },
        ),
        migrations.CreateModel(
            name='CourseResource',
            fields=[
                ('id', models.BigIntegerField()),
                ('pk', models.CompositePrimaryKey('district_id', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('connection_id', models.BigIntegerField()),
                ('source_id', rollbook.store.columns.CodePointText()),
                ('sourced_id', rollbook.store.columns.CodePointText()),
                ('status', models.CharField(default='active', max_length=11)),
                ('metadata', models.TextField(null=True)),
                ('metadata_folded', models.TextField(null=True)),
                ('title', rollbook.store.columns.CodePointText(null=True)),
                ('course_id', models.BigIntegerField()),
                ('resource_id', models.BigIntegerField()),
                ('district', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='store.district')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['district', 'course_id'], name='store_cours_distric_bf09fb_idx'), models.Index(fields=['district', 'resource_id'], name='store_cours_distric_93025d_idx')],
                'constraints': [models.UniqueConstraint(fields=('district', 'sourced_id'), name='courseresource_sourced_id'), models.UniqueConstraint(condition=models.Q(('source_id', models.F('sourced_id')), _negated=True), fields=('district', 'connection_id', 'source_id'), name='courseresource_source_id')],
            },
        ),
        migrations.CreateModel(
            name='Resource',
            fields=[
                ('id', models.BigIntegerField()),
                ('pk', models.CompositePrimaryKey('district_id', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('connection_id', models.BigIntegerField()),
                ('source_id', rollbook.store.columns.CodePointText()),
                ('sourced_id', rollbook.store.columns.CodePointText()),
                ('status', models.CharField(default='active', max_length=11)),
                ('metadata', models.TextField(null=True)),
                ('metadata_folded', models.TextField(null=True)),
                ('vendor_resource_id', rollbook.store.columns.CodePointText()),
                ('title', rollbook.store.columns.CodePointText(null=True)),
                ('title_folded', rollbook.store.columns.CodePointText(null=True)),
                ('roles', models.TextField(null=True)),
                ('roles_folded', models.TextField(null=True)),
                ('importance', models.CharField(max_length=100, null=True)),
                ('vendor_id', rollbook.store.columns.CodePointText(null=True)),
                ('application_id', rollbook.store.columns.CodePointText(null=True)),
                ('district', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='store.district')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('district', 'sourced_id'), name='resource_sourced_id'), models.UniqueConstraint(condition=models.Q(('source_id', models.F('sourced_id')), _negated=True), fields=('district', 'connection_id', 'source_id'), name='resource_source_id')],
            },
        ),
        migrations.CreateModel(
            name='UserResource',
            fields=[
                ('id', models.BigIntegerField()),
                ('pk', models.CompositePrimaryKey('district_id', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('connection_id', models.BigIntegerField()),
                ('source_id', rollbook.store.columns.CodePointText()),
                ('sourced_id', rollbook.store.columns.CodePointText()),
                ('status', models.CharField(default='active', max_length=11)),
                ('metadata', models.TextField(null=True)),
                ('metadata_folded', models.TextField(null=True)),
                ('user_id', models.BigIntegerField()),
                ('org_id', models.BigIntegerField(null=True)),
                ('class_id', models.BigIntegerField(null=True)),
                ('resource_id', models.BigIntegerField()),
                ('district', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='store.district')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['district', 'user_id'], name='store_userr_distric_b9ecfc_idx'), models.Index(fields=['district', 'resource_id'], name='store_userr_distric_8bb8b3_idx')],
                'constraints': [models.UniqueConstraint(fields=('district', 'sourced_id'), name='userresource_sourced_id'), models.UniqueConstraint(condition=models.Q(('source_id', models.F('sourced_id')), _negated=True), fields=('district', 'connection_id', 'source_id'), name='userresource_source_id')],
            },
        ),
    ]
