"""The process that reads mails: ``python -m messaging.inbound.child``. It knows no secret, opens
no database and no connection, and may only cost so much.

On both pipes eight bytes say how long the next item is: mails come in, JSON goes out.
"""

import json
import resource
import struct
import sys
import time

from .parsed import Limits, Unreadable
from .parsing import parse

LENGTH = struct.Struct(">Q")


def main():
    limits = Limits(**json.loads(sys.argv[1]))
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while header := incoming.read(LENGTH.size):
        raw = incoming.read(LENGTH.unpack(header)[0])
        until = int(time.process_time()) + limits.cpu_seconds + 1
        _limit(resource.RLIMIT_CPU, until)
        answer = json.dumps(_answer(raw, limits)).encode()
        outgoing.write(LENGTH.pack(len(answer)) + answer)
        outgoing.flush()


def _limit(kind, most):
    """Not above what whoever started us set, which nobody but root may raise."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _answer(raw, limits) -> dict:
    try:
        return {"parsed": parse(raw, limits).to_json()}
    except Unreadable as refusal:
        return {"refused": str(refusal)}
    except RecursionError:
        return {"refused": "levels"}
    except MemoryError:
        return {"refused": "memory_bytes"}
    except Exception as error:  # noqa: BLE001 -- whatever a hostile mail makes the library raise
        return {"refused": type(error).__name__}


if __name__ == "__main__":
    main()
