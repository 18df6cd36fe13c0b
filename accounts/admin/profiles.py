"""How agents work, by the same rules as on the agent's own page, and where people live."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.console import ConsoleAdmin
from accounts.forms.work import substitutes_for
from accounts.models import Address, AgentProfile, User, WorkingHours

from .records import OfPeople


class HoursInline(admin.StackedInline):
    """They belong to the profile: whoever may change it may change them."""

    model = WorkingHours
    extra = 0
    max_num = 7

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("accounts.view_agentprofile")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("accounts.change_agentprofile")

    has_add_permission = has_delete_permission = has_change_permission


@admin.register(AgentProfile)
class AgentProfileAdmin(ConsoleAdmin):
    inlines = [HoursInline]
    list_title = _("How agents work")
    list_display = ("agent", "availability", "out_until", "substitute", "capacity")
    list_filter = ("availability",)
    list_select_related = ("agent", "substitute")
    search_fields = ("agent__email__startswith", "agent__first_name__istartswith")
    fields = ("agent", "availability", "out_until", "substitute", "capacity", "signature")

    def get_readonly_fields(self, request, obj=None):
        return ("agent",) if obj else ()

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        offered = {
            "agent": User.objects.agents().filter(agent_profile=None),
            "substitute": substitutes_for(obj or AgentProfile()),
        }
        for name in offered.keys() & form.base_fields.keys():
            field = form.base_fields[name]
            field.queryset = offered[name]
            field.widget.can_add_related = field.widget.can_change_related = False
            field.widget.can_view_related = False
        return form

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Address)
class AddressAdmin(OfPeople):
    """Theirs to change."""

    list_display = ("user", "label", "__str__", "is_default")
    list_select_related = ("user",)
    fields = (
        "user",
        "label",
        "street",
        "extra",
        "postal_code",
        "city",
        "region",
        "country",
        "is_default",
    )
