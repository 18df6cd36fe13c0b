import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .inputs import TreeChoiceField
from .models import Category, Priority, Ticket, TicketKind
from .regulated.complaints import has_procedures


class CategoryFilter(django_filters.ModelChoiceFilter):
    """One category, with those that are part of it."""

    field_class = TreeChoiceField

    def filter(self, tickets, category):
        if category is None:
            return tickets
        return tickets.filter(Q(category=category) | Q(category__parent=category))


class QueueFilter(django_filters.FilterSet):
    """What narrows the agent's list. Lives in the address, so a view can be sent to a colleague."""

    q = django_filters.CharFilter(label=_("Number, subject or customer"), method="find")
    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=TicketKind.choices, empty_label=_("Any kind")
    )
    category = CategoryFilter(
        label=_("Category"), queryset=Category.objects.all(), empty_label=_("Any category")
    )
    priority = django_filters.ChoiceFilter(
        label=_("Priority"), choices=Priority.choices, empty_label=_("Any priority")
    )

    regulated = django_filters.ChoiceFilter(
        label=_("Law"),
        choices=[("yes", _("Regulated"))],
        empty_label=_("Regulated or not"),
        method="find_regulated",
    )
    tag = django_filters.CharFilter(label=_("Tag"), method="find_tagged")

    class Meta:
        model = Ticket
        fields = ["q", "kind", "category", "priority", "regulated", "tag"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not has_procedures():
            del self.filters["regulated"]

    def find_regulated(self, tickets, name, _yes):
        return tickets.filter(case__isnull=False)

    def find_tagged(self, tickets, name, tag):
        return tickets.filter(tags__name=tag.strip().lower())

    def find(self, tickets, name, words):
        words = words.strip()[:100]
        return tickets.filter(
            Q(reference__icontains=words)
            | Q(subject__icontains=words)
            | Q(requester__first_name__icontains=words)
            | Q(requester__last_name__icontains=words)
        )
