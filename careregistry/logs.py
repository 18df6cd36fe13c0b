"""What the log says, and what it does not."""

import logging


class NoTracebackOfRefusals(logging.Filter):
    """A refused or unknown page is one line: where our code said no is nobody's trouble."""

    def filter(self, record) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True
