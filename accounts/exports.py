"""Everything of one person in one archive: asked for on a page, made by the worker.

The row is the promise. A claim is a lease, so two workers never make the same archive together
and what a killed one had begun comes back.
"""

import logging
import secrets
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from . import archive
from .bells import ring
from .leases import unleased
from .models import AccountEvent, DataExport, Standing, User
from .models.records import ExportStorage
from .people import AccountRefusal, may_change
from .records import note
from .signals import export_ready, exporting

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # renewed with every file
MAX_TRIES = 3
IN_THE_MAKING = Q(ready_at=None, trouble="")


class LeaseLost(Exception):
    """Somebody else has this export by now, or nobody wants it any more."""


@transaction.atomic
def ask_for(user: User, *, by: User) -> DataExport:
    """Promise ``by`` an archive of all that is known about ``user``. It replaces the last one.

    Raises AccountRefusal while one is being made.
    """
    own = user.pk == by.pk
    if not own and not (by.has_perm("accounts.export_user") and may_change(by, user)):
        raise PermissionDenied
    # Of two clicks the second waits here and finds what the first has promised.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.standing == Standing.ERASED:
        raise AccountRefusal(_("This account was erased."))
    former = DataExport.objects.filter(user=user)
    if former.filter(IN_THE_MAKING).exists():
        raise AccountRefusal(_("A download is being made already. We’ll email when it is ready."))
    drop(former.filter(asked_by=by))
    export = DataExport.objects.create(user=user, asked_by=by)
    note(user, AccountEvent.Kind.EXPORTED, by=by, step="asked")
    ring("accounts.tasks.make_exports")
    return export


def ready_for(user: User):
    """The archives ``user`` may download now: those they asked for, of people they may export."""
    may_all = user.has_perm("accounts.export_user")
    ready = DataExport.objects.filter(asked_by=user, expires_at__gt=timezone.now())
    return (ready if may_all else ready.filter(user=user)).select_related("user").order_by("pk")


@transaction.atomic
def take(export: DataExport, *, by: User) -> File:
    """The archive itself, and the line in the history that says who took it."""
    note(export.user, AccountEvent.Kind.EXPORTED, by=by, step="downloaded")
    return export.file.open("rb")


def drop(exports) -> int:
    """Remove the rows of the queryset ``exports``, and their files once that is sure."""
    names = [export.file.name for export in exports if export.file]
    count, _models = exports.delete()
    storage = ExportStorage()
    for name in names:
        transaction.on_commit(lambda name=name: storage.delete(name), robust=True)
    return count


def drop_old() -> int:
    """Nobody can download these any more."""
    now = timezone.now()
    failed = ~Q(trouble="") & Q(created_at__lte=now - timedelta(days=settings.EXPORT_DAYS))
    return drop(DataExport.objects.filter(Q(expires_at__lte=now) | failed))


# --- The worker's side --------------------------------------------------------


def make_due() -> None:
    """Make all archives that are wanted and that nobody is making."""
    while export := claim():
        make(export)


@transaction.atomic
def claim() -> DataExport | None:
    now = timezone.now()
    wanted = DataExport.objects.filter(IN_THE_MAKING, unleased(now, 2 * LEASE))
    wanted = wanted.select_for_update(skip_locked=True, of=("self",))
    export = wanted.select_related("user").order_by("pk").first()
    if export:
        export.leased_until = now + LEASE
        export.tries += 1
        export.save(update_fields=["leased_until", "tries"])
    return export


def make(export: DataExport) -> None:
    """Write the archive and tell whoever asked. What fails is tried again, then given up."""
    name = f"{secrets.token_hex(20)}.zip"
    path = Path(ExportStorage().path(name))
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    try:
        parts = [part for _receiver, part in exporting.send(sender=User, user=export.user)]
        archive.write(path, parts, alive=lambda: renew(export))
        path.chmod(0o640)
        finish(export, name)
    except LeaseLost:
        path.unlink(missing_ok=True)
    except Exception:  # one that can't be made must not hold up the others
        logger.exception("Export %s can't be made.", export.pk)
        path.unlink(missing_ok=True)
        put_off(export)


def renew(export) -> None:
    """Say that we are still at it. The time of the lease is also what it is known by."""
    until = timezone.now() + LEASE
    if not _held(export).update(leased_until=until):
        raise LeaseLost
    export.leased_until = until


@transaction.atomic
def finish(export, name) -> None:
    now = timezone.now()
    changes = {
        "file": name,
        "ready_at": now,
        "expires_at": now + timedelta(days=settings.EXPORT_DAYS),
        "leased_until": None,
    }
    if not _held(export).update(**changes):
        raise LeaseLost
    export_ready.send(sender=DataExport, export=DataExport.objects.get(pk=export.pk))


def put_off(export) -> None:
    """The lease runs on, and when it is over somebody tries again."""
    if export.tries >= MAX_TRIES:
        _held(export).update(
            trouble=_("It could not be made. The worker’s log says why."), leased_until=None
        )


def _held(export):
    """``export``'s row, as long as it is wanted and the lease is ours."""
    return DataExport.objects.filter(IN_THE_MAKING, pk=export.pk, leased_until=export.leased_until)
