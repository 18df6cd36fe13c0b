"""The outbox is searched by the beginning of an address, and by what was not sent on purpose.

On a large outbox it takes a while to make, in which PostgreSQL lets nobody write to it. Going back is
safe.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0009_not_sent_on_purpose'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(condition=models.Q(('state', 'dropped')), fields=['id'], name='mail_dropped'),
        ),
        migrations.AddIndex(
            model_name='outgoingmail',
            index=models.Index(fields=['email', '-created_at'], name='mail_by_address', opclasses=['varchar_pattern_ops', 'timestamptz_ops']),
        ),
    ]
