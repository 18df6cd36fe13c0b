from django.urls import path

from . import views

app_name = "tickets"
urlpatterns = [
    path("tickets/", views.ticket_list, name="list"),
    path("tickets/new/", views.new, name="new"),
    path("tickets/new/save/", views.save_draft, name="save_draft"),
    path("tickets/new/files/", views.draft_files, name="draft_files"),
    path("tickets/new/review/", views.review, name="review"),
    path("tickets/files/<uuid:pk>/", views.attachment, name="attachment"),
    path("tickets/<str:reference>/done/", views.done, name="done"),
    path("workspace/", views.workspace, name="workspace"),
    path("workspace/tickets/<str:reference>/take/", views.take, name="take"),
    path("workspace/tickets/<str:reference>/hand-over/", views.hand_over, name="hand_over"),
    path("workspace/tickets/<str:reference>/classify/", views.classify, name="classify"),
]
