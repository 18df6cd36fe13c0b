"""Nobody had a bell when these were mailed, so it does not ring for them now. What was owed and has
no mail yet is new still: it was to be mailed at once, and gets its mail as any other.

Safe to run again; going back changes nothing. One update of the whole table, so it takes a while
where a million people were told.
"""

from django.db import migrations
from django.db.models import F


def tell_apart_what_was_mailed(apps, schema_editor):
    Notification = apps.get_model("notifications", "Notification")
    mailed = Notification.objects.filter(read_at=None, mail__isnull=False)
    mailed.update(read_at=F("created_at"))
    # 0006 gave every row its own moment, which looks as if they had been put off.
    Notification.objects.filter(mail=None).update(not_before=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_ways_to_be_told")]

    operations = [migrations.RunPython(tell_apart_what_was_mailed, migrations.RunPython.noop)]
