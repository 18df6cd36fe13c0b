"""On a complaint of their own an administrator is the customer, and nothing more."""


class WithoutOwnComplaints:
    """For admin classes: rows about one's own complaints are not there, as rows or to act on."""

    way_to_ticket = "ticket"

    def get_queryset(self, request):
        own = {f"{self.way_to_ticket}__requester": request.user}
        return super().get_queryset(request).exclude(**own)
