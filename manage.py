#!/usr/bin/env python
import os
import sys
import traceback
from contextlib import suppress

# How ``receive_mail`` may end: well, called wrongly, or with what it says of a mail. Of the rest a
# mail server thinks “never”, and it is always about us; see sysexits.h.
TRY_AGAIN = 75
MEANT = (None, 0, 2, 65, 69, TRY_AGAIN)


def main():
    # Not at the top, as an upgrade may be replacing them: that too is no reason to refuse mail.
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    from careregistry.piped import survives_closed_pipe  # noqa: PLC0415

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careregistry.settings")
    with survives_closed_pipe():
        execute_from_command_line(sys.argv)


def receive_mail():
    """No mail goes back to its sender because of what is wrong with us."""
    try:
        main()
    except (Exception, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code in MEANT:
            raise
        with suppress(Exception):  # as the log may be on the disk that is full
            traceback.print_exc(limit=-1)
        sys.exit(TRY_AGAIN)


if __name__ == "__main__":
    receive_mail() if sys.argv[1:2] == ["receive_mail"] else main()
