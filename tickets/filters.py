import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .models import Category, Priority, Ticket


class QueueFilter(django_filters.FilterSet):
    """What narrows the agent's list. Lives in the address, so a view can be sent to a colleague."""

    q = django_filters.CharFilter(label=_("Number, subject or customer"), method="find")
    category = django_filters.ModelChoiceFilter(
        label=_("Category"), queryset=Category.objects.all(), empty_label=_("Any category")
    )
    priority = django_filters.ChoiceFilter(
        label=_("Priority"), choices=Priority.choices, empty_label=_("Any priority")
    )

    class Meta:
        model = Ticket
        fields = ["q", "category", "priority"]

    def find(self, tickets, name, words):
        words = words.strip()[:100]
        return tickets.filter(
            Q(reference__icontains=words)
            | Q(subject__icontains=words)
            | Q(requester__first_name__icontains=words)
            | Q(requester__last_name__icontains=words)
        )
