"""How members come in: identity providers, whose sign-in is whose, what was tried, and what people decide about."""

import django.db.models.deletion
import rollbook.store.columns
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0045_second_steps'),
    ]

    operations = [
        migrations.CreateModel(
            name='IdentityProvider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('preset', models.CharField(max_length=20)),
                ('issuer', rollbook.store.columns.CodePointText()),
                ('client_id', models.CharField(max_length=500)),
                ('client_secret', rollbook.store.columns.EncryptedText(default='')),
                ('tenants', models.JSONField(default=list)),
                ('domains', models.JSONField(default=list)),
                ('rungs', models.JSONField(default=list)),
                ('names', models.JSONField(default=dict)),
                ('seats', models.CharField(choices=[('rostered', 'Rostered'), ('always', 'Always'), ('never', 'Never')], default='rostered', max_length=10)),
                ('is_active', models.BooleanField(default=False)),
                ('made_by', models.CharField(max_length=254)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('removed_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='identity_providers', to='store.syncconnection')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identity_providers', to='store.organization')),
            ],
        ),
        migrations.CreateModel(
            name='Identity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('member_id', models.BigIntegerField()),
                ('issuer', rollbook.store.columns.CodePointText()),
                ('tenant', rollbook.store.columns.CodePointText(default='')),
                ('subject', rollbook.store.columns.CodePointText()),
                ('rung', models.CharField(max_length=20)),
                ('linked_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by', models.CharField(default='', max_length=254)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='store.organization')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='store.identityprovider')),
            ],
        ),
        migrations.CreateModel(
            name='SignInAttempt',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('organization_id', models.BigIntegerField()),
                ('provider_id', models.BigIntegerField()),
                ('reference', models.CharField(max_length=12)),
                ('outcome', models.CharField(max_length=20)),
                ('rung', models.CharField(default='', max_length=20)),
                ('steps', models.JSONField(default=list)),
                ('member_id', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['organization_id', '-at'], name='sign_in_attempt_recent'), models.Index(fields=['organization_id', 'reference'], name='sign_in_attempt_reference'), models.Index(fields=['at'], name='sign_in_attempt_age'), models.Index(fields=['organization_id', 'member_id'], name='sign_in_attempt_member')],
            },
        ),
        migrations.CreateModel(
            name='SignInReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', rollbook.store.columns.CodePointText()),
                ('tenant', rollbook.store.columns.CodePointText(default='')),
                ('subject', rollbook.store.columns.CodePointText()),
                ('code', models.CharField(max_length=20)),
                ('candidates', models.JSONField(default=list)),
                ('shown', rollbook.store.columns.EncryptedText(default='')),
                ('reference', models.CharField(max_length=12)),
                ('tries', models.IntegerField(default=1)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_by', models.CharField(default='', max_length=254)),
                ('decision', models.CharField(default='', max_length=10)),
                ('member_id', models.BigIntegerField(null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_reviews', to='store.organization')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='store.identityprovider')),
            ],
        ),
        migrations.CreateModel(
            name='SignInTrace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization_id', models.BigIntegerField()),
                ('mark', rollbook.store.columns.CodePointText()),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='traces', to='store.signinattempt')),
            ],
        ),
        migrations.AddConstraint(
            model_name='identityprovider',
            constraint=models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('organization', 'name'), name='identity_provider_once'),
        ),
        migrations.AddConstraint(
            model_name='identity',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('organization', 'issuer', 'tenant', 'subject'), name='identity_once'),
        ),
        migrations.AddConstraint(
            model_name='identity',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('organization', 'member_id', 'issuer'), name='identity_of_member_once'),
        ),
        migrations.AddConstraint(
            model_name='signinreview',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('provider', 'issuer', 'tenant', 'subject'), name='sign_in_review_once'),
        ),
        migrations.AddIndex(
            model_name='signintrace',
            index=models.Index(fields=['organization_id', 'mark'], name='sign_in_trace_mark'),
        ),
    ]
