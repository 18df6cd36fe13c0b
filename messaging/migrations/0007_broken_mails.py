"""Mails that their server can't give out are remembered, so that those behind them are fetched.

The database has the default too: code of before, which still runs during a deployment, can add a
mailbox.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0006_mail_sender_prefix'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailbox',
            name='broken_uids',
            field=models.JSONField(db_default=[], default=list, editable=False),
        ),
    ]
