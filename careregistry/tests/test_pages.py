import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import reverse

from careregistry import views


def main_of(response):
    """What stands in the page between header and footer."""
    return response.text.split("<main")[1].split("</main>")[0]


@pytest.mark.django_db
def test_the_front_page_leads_to_sign_in_and_sign_up(client, django_assert_num_queries):
    """D0-T1: and asks no database for it."""
    with django_assert_num_queries(0):
        page = client.get("/")

    assert f'href="{reverse("account_login")}"' in main_of(page)
    assert f'href="{reverse("account_signup")}"' in main_of(page)
    assert f'href="{reverse("tickets:new")}"' in main_of(page)


@pytest.mark.parametrize("door", ["home", "account_login", "account_signup"])
def test_visitors_are_told_where_the_mail_goes_without_a_mail_server(client, settings, door):
    assert str(settings.MAIL_DIR) not in client.get(reverse(door)).text

    settings.EMAIL_BACKEND = "notifications.mail.backends.FolderBackend"
    assert str(settings.MAIL_DIR) in client.get(reverse(door)).text

    settings.PRODUCTION = True
    assert str(settings.MAIL_DIR) not in client.get(reverse(door)).text


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("alice", "/tickets/"),
        ("bob", "/workspace/"),
        ("ada", "/admin/"),
        ("pete", "/account/waiting/"),
    ],
)
def test_the_front_page_takes_each_role_home(login, request, name, home):
    """D0-T2"""
    response = login(request.getfixturevalue(name)).get("/")

    assert response.headers["Location"] == home


def test_the_approved_do_not_wait(login, alice):
    assert login(alice).get(reverse("account_waiting")).headers["Location"] == "/"


# --- Light and dark -----------------------------------------------------------


@pytest.mark.parametrize("choice", ["auto", "light", "dark"])
def test_the_theme_is_remembered_in_the_browser(client, choice):
    response = client.post("/theme/", {"theme": choice, "next": "/account/login/?next=/tickets/"})

    cookie = response.cookies["theme"]
    assert (cookie.value, cookie["samesite"], cookie["max-age"]) == (choice, "Lax", 31_536_000)
    assert response.headers["Location"] == "/account/login/?next=/tickets/"
    assert f'data-bs-theme="{choice}"' in client.get("/").text


def test_a_theme_nobody_made_is_refused(client):
    assert client.post("/theme/", {"theme": '"><script>'}).status_code == 400
    assert client.get("/theme/").status_code == 405

    client.cookies["theme"] = "neon"
    assert 'data-bs-theme="auto"' in client.get("/").text


@pytest.mark.parametrize(
    "where",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "http://testserver/",
        "%2f%2fevil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "account_login",
    ],
)
@pytest.mark.plan("SEC-B15")
def test_the_theme_never_leads_to_another_site(client, where):
    response = client.post("/theme/", {"theme": "dark", "next": where})

    assert response.headers["Location"] == "/"


# --- When something is wrong ----------------------------------------------------


@pytest.mark.django_db
def test_a_page_that_does_not_exist_asks_only_visitors_to_sign_in(client, alice, settings):
    settings.DEBUG = False
    visitor = client.get("/no/such/page/")
    client.force_login(alice)
    alices = client.get("/no/such/page/")

    assert (visitor.status_code, alices.status_code) == (404, 404)
    assert "Page not found" in main_of(visitor)
    assert "Page not found" in main_of(alices)
    assert "Sign in" in main_of(visitor)
    assert "sign in" not in main_of(alices).lower()


def test_a_page_for_others_says_who_you_are(login, alice):
    response = login(alice).get("/workspace/")

    assert response.status_code == 403
    assert "You don’t have access to this page" in main_of(response)
    assert alice.email in main_of(response)


def test_a_page_for_others_leads_the_waiting_to_their_request(login, pete):
    """D2-3"""
    response = login(pete).get("/tickets/")

    assert response.status_code == 403
    assert "Your agent account is waiting for approval" in main_of(response)
    assert f'href="{reverse("account_waiting")}"' in main_of(response)


@pytest.mark.parametrize("name", ["account_signup", "account_login", "account_add_address"])
def test_what_is_wrong_stands_first_and_takes_the_focus(client, alice, name):
    """D0-24: with scripts off too."""
    if name == "account_add_address":
        client.force_login(alice)

    main = main_of(client.post(reverse(name), {"first_name": ""}))

    errors = '<div class="ccr-errors" id="errors" tabindex="-1" autofocus role="alert"'
    assert 0 < main.index(errors) < main.index("<h1")


def test_a_refusal_says_nothing_of_why():
    request = RequestFactory().get("/")
    request.user = None

    page = views.permission_denied(request, PermissionDenied("the secret reason"))

    assert "secret" not in page.content.decode()


@pytest.mark.django_db
@pytest.mark.plan("SEC-B14")
def test_a_form_from_elsewhere_is_refused_in_words(alice):
    stranger = Client(enforce_csrf_checks=True)

    response = stranger.post(reverse("account_login"), {"login": alice.email, "password": "x"})

    assert response.status_code == 403
    assert "Send that again" in main_of(response)


def test_a_failure_of_ours_is_said_without_database_and_session(client):
    """No fixture opens the database here: a query would fail the test."""
    response = views.server_error(None)

    page = response.content.decode()
    assert response.status_code == 500
    assert "There is a problem with the service" in page
    assert 'href="mailto:care@localhost"' in page


def test_a_crash_shows_that_page(client, monkeypatch):
    def crash(*args):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(views, "render", crash)
    client.raise_request_exception = False
    response = client.get("/")

    assert response.status_code == 500
    assert "There is a problem with the service" in response.text
    assert "secret" not in response.text


# --- Headers ----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/account/login/", "/no/such/page/", "/tickets/"])
def test_every_answer_has_the_security_headers(client, path):
    headers = client.get(path).headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/tickets/", "/account/password/change/", "/no/such/"])
@pytest.mark.plan("SEC-H5")
def test_what_a_signed_in_person_sees_stays_in_no_cache(login, alice, path):
    assert "no-store" in login(alice).get(path).headers["Cache-Control"]


def test_the_front_page_of_visitors_may_be_kept(client):
    assert "Cache-Control" not in client.get("/").headers


def test_pages_load_nothing_from_elsewhere(client):
    """SEC-H7, D1-13"""
    page = client.get("/").text

    assert "//" not in page.replace("http://www.w3.org", "").split("<main")[0].split("<head>")[1]
    assert "<style" not in page
    assert " style=" not in page
