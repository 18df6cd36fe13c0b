from django.urls import path

from .improvement import feedback_views, problem_views
from .parties import caller_views, participant_views
from .promise import promise_views
from .regulated import complaint_views
from .relations import link_views
from .views import expertise, files, handling, lists, raising

app_name = "tickets"
urlpatterns = [
    path("tickets/", lists.ticket_list, name="list"),
    path("tickets/new/", raising.new, name="new"),
    path("tickets/new/questions/", raising.questions, name="questions"),
    path("tickets/new/save/", raising.save_draft, name="save_draft"),
    path("tickets/new/files/", raising.draft_files, name="draft_files"),
    path("tickets/new/review/", raising.review, name="review"),
    path("tickets/files/<uuid:pk>/", files.attachment, name="attachment"),
    path("tickets/<slug:reference>/done/", raising.done, name="done"),
    path("tickets/<slug:reference>/place/", promise_views.place, name="place"),
    path("services/", promise_views.list_services, name="services"),
    path("tickets/<slug:reference>/call/", caller_views.ask_for_call, name="ask_for_call"),
    path("tickets/<slug:reference>/call/drop/", caller_views.drop_call, name="drop_call"),
    path("tickets/<slug:reference>/participants/", participant_views.share, name="share"),
    path(
        "tickets/<slug:reference>/participants/<int:participant_id>/remove/",
        participant_views.remove_participant,
        name="remove_participant",
    ),
    path("tickets/<slug:reference>/leave/", participant_views.leave, name="leave"),
    path("account/expertise/", expertise.offer_expertise, name="offer_expertise"),
    path("rate/<str:ending>/", feedback_views.rate_by_link, name="rate_by_link"),
    path("concerns/", feedback_views.concerns, name="concerns"),
    path("workspace/", lists.workspace, name="workspace"),
    path("workspace/new/", caller_views.new_for_customer, name="new_for_customer"),
    path("workspace/ratings/", feedback_views.ratings, name="ratings"),
    path("workspace/ratings/<int:rating_id>/", feedback_views.answer, name="answer_rating"),
    path("workspace/problems/", problem_views.problem_list, name="problems"),
    path("workspace/problems/<int:problem_id>/", problem_views.problem, name="problem"),
    path("workspace/problems/<int:problem_id>/edit/", problem_views.edit, name="edit_problem"),
    path("workspace/problems/<int:problem_id>/mend/", problem_views.mend, name="mend_problem"),
    path(
        "workspace/problems/<int:problem_id>/reopen/", problem_views.reopen, name="reopen_problem"
    ),
    path("workspace/tickets/<slug:reference>/problem/", problem_views.link, name="link_problem"),
    path(
        "workspace/tickets/<slug:reference>/problem/none/",
        problem_views.unlink,
        name="unlink_problem",
    ),
    path(
        "workspace/tickets/<slug:reference>/problem/new/",
        problem_views.open_new,
        name="open_problem",
    ),
    path("workspace/tickets/<slug:reference>/take/", handling.take, name="take"),
    path("workspace/tickets/<slug:reference>/hand-over/", handling.hand_over, name="hand_over"),
    path("workspace/tickets/<slug:reference>/classify/", handling.classify, name="classify"),
    path("workspace/tickets/<slug:reference>/details/", handling.details, name="details"),
    path("workspace/tickets/<slug:reference>/deadline/", promise_views.deadline, name="deadline"),
    path("workspace/tickets/<slug:reference>/suggestion/", handling.suggest, name="suggest"),
    path(
        "workspace/tickets/<slug:reference>/customer/",
        caller_views.correct_requester,
        name="correct_requester",
    ),
    path(
        "workspace/tickets/<slug:reference>/participants/",
        participant_views.add_participant,
        name="add_participant",
    ),
    path("workspace/tickets/<slug:reference>/follow/", participant_views.follow, name="follow"),
    path(
        "workspace/tickets/<slug:reference>/unfollow/",
        participant_views.unfollow,
        name="unfollow",
    ),
    path("workspace/tickets/<slug:reference>/call/", caller_views.log_call, name="log_call"),
    path(
        "workspace/tickets/<slug:reference>/complaint/", complaint_views.step, name="complaint_step"
    ),
    path(
        "workspace/tickets/<slug:reference>/complaint/response/",
        complaint_views.response,
        name="complaint_response",
    ),
    path(
        "workspace/tickets/<slug:reference>/complaint/codes/",
        complaint_views.codes,
        name="complaint_codes",
    ),
    path(
        "workspace/tickets/<slug:reference>/complaint/level/",
        complaint_views.level,
        name="complaint_level",
    ),
    path("workspace/tickets/<slug:reference>/link/", link_views.link, name="link"),
    path(
        "workspace/tickets/<slug:reference>/link/<int:link_id>/remove/",
        link_views.unlink,
        name="unlink",
    ),
    path("workspace/tickets/<slug:reference>/merge/", link_views.merge, name="merge"),
    path("workspace/tickets/<slug:reference>/merge/undo/", link_views.unmerge, name="unmerge"),
    path("workspace/tickets/<slug:reference>/split/", link_views.split, name="split"),
    path(
        "workspace/tickets/<slug:reference>/split/<int:link_id>/undo/",
        link_views.unsplit,
        name="unsplit",
    ),
]
