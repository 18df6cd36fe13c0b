from django.urls import path

from . import views

app_name = "messaging"
urlpatterns = [
    path("tickets/<slug:reference>/", views.ticket, name="ticket"),
    path("tickets/<slug:reference>/lines/", views.lines, name="lines"),
    path("tickets/<slug:reference>/reply/", views.reply, name="reply"),
    path("tickets/<slug:reference>/close/", views.close, name="close"),
    path("tickets/<slug:reference>/withdraw/", views.withdraw, name="withdraw"),
    path("tickets/<slug:reference>/reopen/", views.reopen, name="reopen"),
    path("tickets/<slug:reference>/rate/", views.rate, name="rate"),
    path("workspace/tickets/<slug:reference>/", views.workspace_ticket, name="workspace_ticket"),
    path(
        "workspace/tickets/<slug:reference>/lines/", views.workspace_lines, name="workspace_lines"
    ),
    path("workspace/tickets/<slug:reference>/write/", views.write, name="write"),
    path("workspace/tickets/<slug:reference>/move/", views.move, name="move"),
]
