from django.urls import path

from . import caller_views, feedback_views, promise_views, views

app_name = "tickets"
urlpatterns = [
    path("tickets/", views.ticket_list, name="list"),
    path("tickets/new/", views.new, name="new"),
    path("tickets/new/questions/", views.questions, name="questions"),
    path("tickets/new/save/", views.save_draft, name="save_draft"),
    path("tickets/new/files/", views.draft_files, name="draft_files"),
    path("tickets/new/review/", views.review, name="review"),
    path("tickets/files/<uuid:pk>/", views.attachment, name="attachment"),
    path("tickets/<slug:reference>/done/", views.done, name="done"),
    path("tickets/<slug:reference>/place/", promise_views.place, name="place"),
    path("services/", promise_views.list_services, name="services"),
    path("tickets/<slug:reference>/call/", caller_views.ask_for_call, name="ask_for_call"),
    path("tickets/<slug:reference>/call/drop/", caller_views.drop_call, name="drop_call"),
    path("account/expertise/", views.offer_expertise, name="offer_expertise"),
    path("rate/<str:ending>/", feedback_views.rate_by_link, name="rate_by_link"),
    path("concerns/", feedback_views.concerns, name="concerns"),
    path("workspace/", views.workspace, name="workspace"),
    path("workspace/new/", caller_views.new_for_customer, name="new_for_customer"),
    path("workspace/ratings/", feedback_views.ratings, name="ratings"),
    path("workspace/ratings/<int:rating_id>/", feedback_views.answer, name="answer_rating"),
    path("workspace/tickets/<slug:reference>/take/", views.take, name="take"),
    path("workspace/tickets/<slug:reference>/hand-over/", views.hand_over, name="hand_over"),
    path("workspace/tickets/<slug:reference>/classify/", views.classify, name="classify"),
    path("workspace/tickets/<slug:reference>/details/", views.details, name="details"),
    path("workspace/tickets/<slug:reference>/deadline/", promise_views.deadline, name="deadline"),
    path("workspace/tickets/<slug:reference>/suggestion/", views.suggest, name="suggest"),
    path(
        "workspace/tickets/<slug:reference>/customer/",
        caller_views.correct_requester,
        name="correct_requester",
    ),
    path("workspace/tickets/<slug:reference>/call/", caller_views.log_call, name="log_call"),
]
