"""A small OpenID provider on this machine, in Google's place."""

import base64
import hashlib
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import requests
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

CLIENT_ID, CLIENT_SECRET = "ccr.apps.example", "a-secret-of-this-site"
REFUSAL = "We could not sign you in with Google."
GINA = "gina@example.org"


class Provider:
    """``person`` is who is signed in there; ``claims`` spoil what it says of them."""

    def __init__(self):
        self.person = {
            "sub": "1001", "email": "gina@example.org", "email_verified": True,
            "given_name": "Gina", "family_name": "Grant",
        }  # fmt: skip
        self.claims = {}
        self.codes = {}  # code → what the browser asked for
        self.asked_for_tokens = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def follow(self, address) -> str:
        """What a browser does with our redirect: the path of our callback that it leads to."""
        answer = requests.get(address, allow_redirects=False, timeout=5)
        target = urlsplit(answer.headers["Location"])
        return f"{target.path}?{target.query}"

    def authorize(self, query) -> str:
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = query
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})

    def token(self, form) -> dict | None:
        """For a code, once, and only to whom it was given (PKCE)."""
        self.asked_for_tokens.append(form)
        query = self.codes.pop(form["code"], None)
        if query is None or challenge_of(form["code_verifier"]) != query["code_challenge"]:
            return None
        if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return None
        return {"access_token": "not-to-be-kept", "id_token": self._id_token(query)}

    def _id_token(self, query) -> str:
        now = int(time.time())
        facts = {
            "iss": "https://accounts.google.com", "aud": CLIENT_ID, "iat": now, "exp": now + 300,
            "nonce": query.get("nonce"),
        }  # fmt: skip
        return jwt.encode(facts | self.person | self.claims, "k" * 32, algorithm="HS256")

    def _handler(provider):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(302)
                self.send_header("Location", provider.authorize(flat(urlsplit(self.path).query)))
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = provider.token(flat(body))
                self.send_response(200 if answer else 400)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer or {"error": "invalid_grant"}).encode())

            def log_message(self, *args):
                pass

        return Handler


def flat(query) -> dict:
    return {name: values[0] for name, values in parse_qs(query).items()}


def challenge_of(verifier) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def begin(client, **form) -> str:
    """Press the button: the address at Google it leads to."""
    return client.post(reverse("google_login"), form).headers["Location"]


def come_in(client, google, **form):
    return client.get(google.follow(begin(client, **form)))


def is_refused(client, response) -> bool:
    at_the_door = response.headers["Location"] == reverse("account_login")
    return at_the_door and REFUSAL in client.get(reverse("account_login")).text


def connect(person, uid="1001"):
    return SocialAccount.objects.create(
        user=person, provider="google", uid=uid, extra_data={"email": GINA}
    )
