"""The lists of people that an administrator looks for by name (D1-2, D2-3)."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .models import Role, Standing

# Each names its roles, as the index of people does: customers are too many to look through.
LISTS = {
    "admins": (_("All administrators"), Q(role=Role.ADMIN)),
    "waiting_admins": (
        _("Waiting administrators"),
        Q(role=Role.ADMIN, standing=Standing.PENDING),
    ),
    "agents": (_("Confirmed agents"), Q(role=Role.AGENT, standing=Standing.ACTIVE)),
    "waiting_agents": (_("Not confirmed agents"), Q(role=Role.AGENT, standing=Standing.PENDING)),
    "declined": (
        _("Declined people"),
        Q(role__in=[Role.AGENT, Role.ADMIN], standing=Standing.DECLINED),
    ),
    "suspended": (
        _("Suspended people"),
        Q(role__in=Role.values, standing=Standing.SUSPENDED),
    ),
}
