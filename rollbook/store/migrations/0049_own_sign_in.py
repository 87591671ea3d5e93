"""Sign-in services of districts and organizations for those who work in their console, and whether they are required."""

import django.db.models.deletion
import rollbook.store.columns
from django.conf import settings
from django.db import migrations, models


def _columns():
    return [
        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
        ('preset', models.CharField(max_length=20)),
        ('issuer', rollbook.store.columns.CodePointText()),
        ('client_id', models.CharField(max_length=500)),
        ('client_secret', rollbook.store.columns.EncryptedText(default='')),
        ('tenants', models.JSONField(default=list)),
        ('domains', models.JSONField(default=list)),
        ('names', models.JSONField(default=dict)),
        ('is_active', models.BooleanField(default=False)),
        ('tried_at', models.DateTimeField(null=True)),
        ('made_by', models.CharField(max_length=254)),
        ('created_at', models.DateTimeField(auto_now_add=True)),
    ]


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0048_launch_pad'),
    ]

    operations = [
        migrations.AddField(
            model_name='district',
            name='requires_own_sign_in',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='organization',
            name='requires_own_sign_in',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='DistrictSignIn',
            fields=[
                *_columns(),
                ('district', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='own_sign_in', to='store.district')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='OrganizationSignIn',
            fields=[
                *_columns(),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='own_sign_in', to='store.organization')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WorkIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', rollbook.store.columns.CodePointText()),
                ('tenant', rollbook.store.columns.CodePointText(default='')),
                ('subject', rollbook.store.columns.CodePointText()),
                ('linked_at', models.DateTimeField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='work_identities', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='workidentity',
            constraint=models.UniqueConstraint(fields=('issuer', 'tenant', 'subject'), name='work_identity_once'),
        ),
        migrations.AddConstraint(
            model_name='workidentity',
            constraint=models.UniqueConstraint(fields=('account', 'issuer'), name='work_identity_of_account_once'),
        ),
    ]
