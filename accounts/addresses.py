"""Somebody's addresses. While there are any, exactly one of them is used by default."""

from django.db import transaction
from django.utils.translation import gettext as _

from .models import Address, User

MAX_ADDRESSES = 20


class TooManyAddresses(Exception):
    def __str__(self):
        return _("You can keep up to %(n)s addresses. Remove one first") % {"n": MAX_ADDRESSES}


def _addresses_of(user):
    """Held against other changes until this one is kept: two at once could leave two defaults,
    or none."""
    User.objects.select_for_update().only("pk").get(pk=user.pk)
    return Address.objects.filter(user=user)


@transaction.atomic
def add(address: Address) -> None:
    """Keep a new one; the first is used by default. Raises TooManyAddresses."""
    kept = _addresses_of(address.user)
    count = kept.count()
    if count >= MAX_ADDRESSES:
        raise TooManyAddresses
    address.is_default = count == 0
    address.save(force_insert=True)


@transaction.atomic
def make_default(address: Address) -> None:
    kept = _addresses_of(address.user)
    if kept.filter(pk=address.pk).exists():  # it may have been removed since it was read
        kept.filter(is_default=True).update(is_default=False)
        kept.filter(pk=address.pk).update(is_default=True)


@transaction.atomic
def remove(address: Address) -> None:
    """Remove it. If it was the default, the oldest of the others is."""
    kept = _addresses_of(address.user)
    kept.filter(pk=address.pk).delete()
    oldest = kept.order_by("pk").first()
    if oldest and not kept.filter(is_default=True).exists():
        kept.filter(pk=oldest.pk).update(is_default=True)
