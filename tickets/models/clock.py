"""How steadily time has passed."""

from django.db import models


class ClockHand(models.Model):
    """When the clock last looked, and since when no jump of time was seen. One row for all."""

    looked_at = models.DateTimeField()
    steady_since = models.DateTimeField()
