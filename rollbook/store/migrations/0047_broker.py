"""Rollbook as one OpenID Connect provider: its clients, its keys, who is in where, and what was given out for it."""

import django.db.models.deletion
import rollbook.store.columns
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0046_signing_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kid', models.CharField(max_length=64, unique=True)),
                ('algorithm', models.CharField(max_length=10)),
                ('public', models.JSONField()),
                ('private', rollbook.store.columns.EncryptedText()),
                ('made_at', models.DateTimeField()),
                ('signs_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='SignInClient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('client_id', models.CharField(max_length=60, unique=True)),
                ('secret', models.CharField(max_length=255)),
                ('former_secret', models.CharField(default='', max_length=255)),
                ('former_until', models.DateTimeField(null=True)),
                ('redirect_uris', models.JSONField(default=list)),
                ('post_logout_uris', models.JSONField(default=list)),
                ('logout_uri', models.CharField(default='', max_length=2000)),
                ('tells', models.JSONField(default=list)),
                ('subject_key', rollbook.store.columns.EncryptedText()),
                ('made_by', models.CharField(max_length=254)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('app', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_clients', to='store.app')),
                ('product', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_clients', to='store.product')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('product__isnull', True), ('app__isnull', True), _connector='XOR'), name='sign_in_client_of_one')],
            },
        ),
        migrations.CreateModel(
            name='Visit',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('client_id', models.BigIntegerField()),
                ('organization_id', models.BigIntegerField(default=0)),
                ('member_id', models.BigIntegerField(default=0)),
                ('identity_id', models.BigIntegerField(default=0)),
                ('district_id', models.BigIntegerField(default=0)),
                ('user_id', models.BigIntegerField(default=0)),
                ('rests_on', models.JSONField(default=dict)),
                ('subject', rollbook.store.columns.CodePointText()),
                ('browser', models.CharField(max_length=64)),
                ('signed_in_at', models.DateTimeField()),
                ('began_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('why', models.CharField(default='', max_length=20)),
            ],
            options={
                'indexes': [models.Index(fields=['browser'], name='visit_browser'), models.Index(fields=['seen_at'], name='visit_age'), models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['id'], name='visit_open')],
            },
        ),
        migrations.CreateModel(
            name='SignInCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('checksum', models.CharField(max_length=64, unique=True)),
                ('redirect_uri', rollbook.store.columns.CodePointText()),
                ('challenge', models.CharField(max_length=128)),
                ('nonce', rollbook.store.columns.CodePointText(default='')),
                ('scope', models.CharField(max_length=200)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('visit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='store.visit')),
            ],
        ),
        migrations.CreateModel(
            name='VisitToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('checksum', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('access', 'Access'), ('refresh', 'Refresh')], max_length=10)),
                ('family', models.BigIntegerField()),
                ('scope', models.CharField(max_length=200)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('visit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='store.visit')),
            ],
            options={
                'indexes': [models.Index(fields=['family'], name='visit_token_family')],
            },
        ),
        migrations.CreateModel(
            name='LogoutNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made_at', models.DateTimeField()),
                ('next_at', models.DateTimeField()),
                ('tries', models.IntegerField(default=0)),
                ('fault', models.CharField(default='', max_length=100)),
                ('given_up_at', models.DateTimeField(null=True)),
                ('visit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='store.visit')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('given_up_at__isnull', True)), fields=['next_at'], name='logout_notice_due')],
            },
        ),
    ]
