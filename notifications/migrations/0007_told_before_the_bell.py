"""Nobody had a bell when these were owed, so it does not ring for them now.

Safe to run again; going back changes nothing. One update of the whole table, so it takes a while
where a million people were told.
"""

from django.db import migrations
from django.db.models import F


def mark_as_read(apps, schema_editor):
    Notification = apps.get_model("notifications", "Notification")
    Notification.objects.filter(read_at=None).update(read_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_ways_to_be_told")]

    operations = [migrations.RunPython(mark_as_read, migrations.RunPython.noop)]
