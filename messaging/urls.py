from django.urls import path

from . import views

app_name = "messaging"
urlpatterns = [
    path("tickets/<str:reference>/", views.ticket, name="ticket"),
    path("tickets/<str:reference>/lines/", views.lines, name="lines"),
    path("tickets/<str:reference>/reply/", views.reply, name="reply"),
    path("tickets/<str:reference>/close/", views.close, name="close"),
    path("tickets/<str:reference>/withdraw/", views.withdraw, name="withdraw"),
    path("tickets/<str:reference>/reopen/", views.reopen, name="reopen"),
    path("tickets/<str:reference>/rate/", views.rate, name="rate"),
    path("workspace/tickets/<str:reference>/", views.workspace_ticket, name="workspace_ticket"),
    path("workspace/tickets/<str:reference>/lines/", views.workspace_lines, name="workspace_lines"),
    path("workspace/tickets/<str:reference>/write/", views.write, name="write"),
    path("workspace/tickets/<str:reference>/move/", views.move, name="move"),
]
