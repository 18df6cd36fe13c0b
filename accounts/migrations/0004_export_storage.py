import accounts.models.records
from django.db import migrations, models


class Migration(migrations.Migration):
    """No change to the table: archives are kept apart from what people uploaded."""

    dependencies = [
        ("accounts", "0003_people_complete"),
    ]

    operations = [
        migrations.AlterField(
            model_name="dataexport",
            name="file",
            field=models.FileField(
                blank=True,
                max_length=100,
                storage=accounts.models.records.export_storage,
                upload_to="",
            ),
        ),
    ]
