from django.urls import path

from .views import bell, preferences, push, sms, told, unsubscribing

app_name = "notifications"
urlpatterns = [
    path("account/notifications/", preferences.preferences, name="preferences"),
    path("account/notifications/browsers/", push.subscribe, name="subscribe_browser"),
    path("account/notifications/browsers/again/", push.renew, name="renew_browser"),
    path(
        "account/notifications/browsers/<int:browser_id>/stop/",
        push.unsubscribe,
        name="unsubscribe_browser",
    ),
    path("account/notifications/number/", sms.change_number, name="change_number"),
    path("account/notifications/number/code/", sms.confirm_number, name="confirm_number"),
    path("account/notifications/number/remove/", sms.remove_number, name="remove_number"),
    path("sw.js", push.service_worker, name="service_worker"),
    path("notifications/", bell.notifications, name="bell"),
    path("notifications/count/", bell.count, name="count"),
    path("notifications/read/", bell.read_all, name="read_all"),
    path("notifications/seen/<slug:reference>/", bell.seen, name="seen"),
    path("notifications/<int:notification_id>/", bell.follow, name="follow"),
    path("workspace/tickets/<slug:reference>/told/", told.told, name="told"),
    path("stop-mails/<str:choice>/", unsubscribing.stop, name="stop"),
]
