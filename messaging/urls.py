from django.urls import path

from .views import customer, workspace

app_name = "messaging"
urlpatterns = [
    path("tickets/<slug:reference>/", customer.ticket, name="ticket"),
    path("tickets/<slug:reference>/lines/", customer.lines, name="lines"),
    path("tickets/<slug:reference>/reply/", customer.reply, name="reply"),
    path("tickets/<slug:reference>/close/", customer.close, name="close"),
    path("tickets/<slug:reference>/withdraw/", customer.withdraw, name="withdraw"),
    path("tickets/<slug:reference>/reopen/", customer.reopen, name="reopen"),
    path("tickets/<slug:reference>/rate/", customer.rate, name="rate"),
    path("workspace/tickets/<slug:reference>/", workspace.ticket, name="workspace_ticket"),
    path("workspace/tickets/<slug:reference>/lines/", workspace.lines, name="workspace_lines"),
    path("workspace/tickets/<slug:reference>/write/", workspace.write, name="write"),
    path("workspace/tickets/<slug:reference>/move/", workspace.move, name="move"),
]
