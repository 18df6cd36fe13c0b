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
    path("tickets/<slug:reference>/done/", views.done, name="done"),
    path("account/expertise/", views.offer_expertise, name="offer_expertise"),
    path("workspace/", views.workspace, name="workspace"),
    path("workspace/tickets/<slug:reference>/take/", views.take, name="take"),
    path("workspace/tickets/<slug:reference>/hand-over/", views.hand_over, name="hand_over"),
    path("workspace/tickets/<slug:reference>/classify/", views.classify, name="classify"),
]
