"""Jobs that remove or mail something because its day has come do nothing while the clock may be
wrong. They come again in their hour.

Who watches the clock stands to the right of here, so a signal asks.
"""

import logging
from functools import wraps

from .signals import steadiness_asked

logger = logging.getLogger(__name__)


def while_steady(job):
    @wraps(job)
    def run():
        answers = steadiness_asked.send(sender=None)
        if all(is_steady for _receiver, is_steady in answers):
            job()
        else:
            logger.warning("The clock has jumped: %s waits.", job.__name__)

    return run
