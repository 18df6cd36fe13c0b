"""The browsers somebody lets show notifications: added, listed, stopped."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.models import PushSubscription
from notifications.short_messages import browsers

from .telephones import BROWSER, PUSH_KEY, SERVICE, encoded

pytestmark = pytest.mark.django_db

SUBSCRIBE = reverse("notifications:subscribe_browser")
RENEW = reverse("notifications:renew_browser")
PAGE = reverse("notifications:preferences")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"


@pytest.fixture(autouse=True)
def with_push(settings):
    settings.PUSH_KEY = PUSH_KEY


def stop(browser):
    return reverse("notifications:unsubscribe_browser", args=[browser.pk])


def test_a_browser_is_added_listed_and_stopped(login, alice):
    client = login(alice)

    answer = client.post(SUBSCRIBE, BROWSER, headers={"user-agent": FIREFOX})
    listed = client.get(PAGE).text
    browser = PushSubscription.objects.get()
    client.post(stop(browser))

    assert answer.headers["Location"] == PAGE
    assert (browser.user, browser.endpoint, browser.session_key) == (
        alice,
        SERVICE,
        client.session.session_key,
    )
    assert "Firefox on Linux" in listed
    assert "This device" in listed
    assert SERVICE not in listed  # whoever knows it could try to call there
    assert "Firefox on Linux" not in client.get(PAGE).text
    assert not PushSubscription.objects.exists()


@pytest.mark.plan("SEC-B17")
@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "https://127.0.0.1/"},
        {"endpoint": "http://localhost:8198/internal/delete?all=1"},
        {"endpoint": "https://localhost/"},
        {"endpoint": "https://10.0.0.7/push"},
        {"endpoint": "http://93.184.215.14/"},
        {"endpoint": "https://93.184.215.14/" + "x" * 1000},
        {"endpoint": "javascript:alert(1)"},
        {"endpoint": ""},
        {"p256dh": ""},
        {"p256dh": encoded(b"\x04" + b"x" * 64)},  # no point of the curve
        {"p256dh": encoded(b"\x00")},
        {"p256dh": "A" * 101},
        {"p256dh": "ключ"},
        {"auth": encoded(b"fifteen letters")},
        {"auth": "%%%"},
        {"auth": "ключ"},
    ],
)
def test_what_no_browser_says_is_refused(login, alice, settings, wrong):
    """P12: only public push services are ever called, wherever webhooks may lead."""
    settings.WEBHOOK_INTERNAL_HOSTS = ["localhost", "127.0.0.1"]
    client = login(alice)

    client.post(SUBSCRIBE, BROWSER | wrong)
    refused = client.get(PAGE).text

    assert "This browser could not be added." in refused
    assert not PushSubscription.objects.exists()
    client.post(SUBSCRIBE, BROWSER)
    assert PushSubscription.objects.count() == 1


def test_the_same_browser_is_one_row_and_goes_to_whoever_uses_it(login, alice, carol):
    login(alice).post(SUBSCRIBE, BROWSER)
    login(alice).post(SUBSCRIBE, BROWSER)
    before = list(PushSubscription.objects.values_list("user", flat=True))

    login(carol).post(SUBSCRIBE, BROWSER)

    assert before == [alice.pk]
    assert list(PushSubscription.objects.values_list("user", flat=True)) == [carol.pk]


def test_the_eleventh_takes_the_place_of_the_oldest(login, alice, carol):
    client = login(carol)
    client.post(SUBSCRIBE, BROWSER | {"endpoint": f"{SERVICE}/carol"})
    client = login(alice)

    for number in range(browsers.MAX_BROWSERS + 1):
        client.post(SUBSCRIBE, BROWSER | {"endpoint": f"{SERVICE}/{number}"})

    kept = alice.push_subscriptions.order_by("pk").values_list("endpoint", flat=True)
    assert list(kept) == [f"{SERVICE}/{number}" for number in range(1, 11)]
    assert carol.push_subscriptions.count() == 1


def test_nobody_stops_the_browser_of_another(login, alice, carol):
    login(alice).post(SUBSCRIBE, BROWSER)
    browser = PushSubscription.objects.get()

    answer = login(carol).post(stop(browser))

    assert answer.status_code == 404
    assert PushSubscription.objects.exists()


@pytest.mark.parametrize("endpoint", [SERVICE, f"{SERVICE}/new"])
def test_after_signing_in_anew_it_goes_on(login, alice, endpoint):
    """static/js/push-again.js. The address may be another, if the registry has another key."""
    login(alice).post(SUBSCRIBE, BROWSER)
    client = Client()
    client.force_login(alice)

    answer = client.post(RENEW, BROWSER | {"before": SERVICE, "endpoint": endpoint})

    assert answer.status_code == 204
    rows = PushSubscription.objects.values_list("endpoint", "session_key")
    assert list(rows) == [(endpoint, client.session.session_key)]


@pytest.mark.parametrize(
    ("name", "path"), [("alice", "/tickets/"), ("bob", "/workspace/"), ("ada", "/admin/")]
)
def test_each_home_has_the_script_that_tells(login, request, name, path):
    """An administrator may never leave the console."""
    assert "push-again.js" in login(request.getfixturevalue(name)).get(path).text


def test_what_was_stopped_elsewhere_or_is_anothers_does_not_go_on(login, alice, carol):
    login(alice).post(SUBSCRIBE, BROWSER)

    refused = login(carol).post(RENEW, BROWSER | {"before": SERVICE})
    broken = login(alice).post(RENEW, BROWSER | {"before": SERVICE, "auth": "%%%"})
    PushSubscription.objects.get(user=alice).delete()
    stopped = login(alice).post(RENEW, BROWSER | {"before": SERVICE})

    assert (refused.status_code, broken.status_code, stopped.status_code) == (404, 400, 404)
    assert not PushSubscription.objects.exists()


def test_where_somebody_is_signed_out_is_not_listed_and_forgotten_in_time(login, alice, clock):
    login(alice).post(SUBSCRIBE, BROWSER, headers={"user-agent": FIREFOX})
    Session.objects.update(expire_date=timezone.now())
    client = Client()
    client.force_login(alice)

    listed = client.get(PAGE).text
    browsers.forget_ended()
    kept = PushSubscription.objects.count()
    clock.shift(browsers.KEPT_FOR + timedelta(days=1))
    client.force_login(alice)
    client.post(SUBSCRIBE, BROWSER | {"endpoint": f"{SERVICE}/here"})
    browsers.forget_ended()

    assert "Firefox on Linux" not in listed
    assert kept == 1
    assert [browser.endpoint for browser in alice.push_subscriptions.all()] == [f"{SERVICE}/here"]


def test_without_a_key_nothing_is_offered_nor_taken(login, alice, settings):
    settings.PUSH_KEY = ""
    client = login(alice)

    client.post(SUBSCRIBE, BROWSER)
    page = client.get(PAGE).text

    assert "Push is switched off here." in page
    assert "Devices that show notifications" not in page
    assert "push-again.js" not in page
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_many(login, alice, count, django_assert_num_queries):
    client = login(alice)
    for number in range(count):
        client.post(SUBSCRIBE, BROWSER | {"endpoint": f"{SERVICE}/{number}"})
    client.get(PAGE)  # which says so, once

    with django_assert_num_queries(queries_of_the_page(client)):
        client.get(PAGE)


def queries_of_the_page(client) -> int:
    """With the browser that the first one is."""
    kept = list(PushSubscription.objects.order_by("pk"))
    PushSubscription.objects.exclude(pk=kept[0].pk).delete()
    with CaptureQueriesContext(connection) as queries:
        client.get(PAGE)
    PushSubscription.objects.bulk_create(kept[1:])
    return len(queries)


# --- The service worker -------------------------------------------------------------


def test_the_service_worker_is_everybodys_and_in_no_cache(client, login, alice):
    """SEC-H5: it says nothing of anybody, keeps no page and answers no request."""
    answer = client.get("/sw.js")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "caches" not in answer.text
    assert '"fetch"' not in answer.text
    assert login(alice).get("/sw.js").text == answer.text


def test_the_name_of_the_site_can_break_no_script(client, settings):
    settings.SITE_NAME = 'Kettles" + alert(1) + "</script>'

    assert "alert(1) +" in client.get("/sw.js").text.replace("\\u0022", "")
    assert '" + alert' not in client.get("/sw.js").text
