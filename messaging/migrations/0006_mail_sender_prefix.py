"""The ledger is searched by the beginning of a sender's address, whatever language sorts its index.

On a large ledger it takes a while to make, in which PostgreSQL lets nobody write to it. Going back
is safe.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0005_answers_not_theirs'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='inboundmail',
            name='mail_by_sender',
        ),
        migrations.AddIndex(
            model_name='inboundmail',
            index=models.Index(fields=['sender'], name='mail_by_sender', opclasses=['varchar_pattern_ops']),
        ),
    ]
