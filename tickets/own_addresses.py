"""Mail addresses of the registry itself: each stands for one thing, and nobody writes from them."""

from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .models import Category

# What else has an address that customers write to: model, field, and who is named as having it.
# Apps to the right add theirs.
HOLDERS = [(Category, "email", str)]


def is_own(address: str) -> bool:
    """Whether mail from ``address``, in small letters, is our own that came round; with whatever
    stands after a plus."""
    if _is_of_the_registry(address):
        return True
    own = Category.objects.filter(email__in=_shorter(address))
    return own.exclude(email="").exists()


def refuse_taken(address: str, *, by) -> None:
    """Raises ValidationError if the registry has ``address``, or another row than ``by``."""
    if _is_of_the_registry(address):
        raise ValidationError(_("The registry itself has this address"))
    for model, field, named in HOLDERS:
        others = model.objects.filter(**{field: address})
        if isinstance(by, model):
            others = others.exclude(pk=by.pk)
        if taken := others.first():
            raise ValidationError(_("%(name)s has this address") % {"name": named(taken)})


def _is_of_the_registry(address) -> bool:
    """Whom our mails are from, and where they are answered; with whatever stands after a plus."""
    own = (parseaddr(settings.DEFAULT_FROM_EMAIL)[1], settings.REPLY_ADDRESS)
    return bool(_shorter(address) & {each.lower() for each in own if each})


def _shorter(address) -> set[str]:
    """``a+b+c@d``, ``a+b@d`` and ``a@d``: of an address of ours a plus may be a part."""
    local, at, domain = address.rpartition("@")
    words = local.split("+")
    return {f"{'+'.join(words[:end])}{at}{domain}" for end in range(1, len(words) + 1)}


def without_plus(address) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
