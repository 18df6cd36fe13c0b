"""Somebody with a browser that measures how long it waits."""

import http.client
import re
import time
from dataclasses import dataclass
from urllib.parse import urlencode

TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    @property
    def csrf_token(self) -> str:
        return TOKEN.search(self.body)[1].decode()

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', self.body.decode())[0]
        return re.search(r'value="([^"]*)"', tag)[1]


class Visitor:
    """One connection that is kept, and cookies. Asks for no compression."""

    def __init__(self, port: int, cookies: dict | None = None):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = dict(cookies or {})

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, fields: dict) -> Answer:
        body = urlencode(fields)
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def sign_in(self, email: str, password: str) -> "Visitor":
        form = self.get("/account/login/")
        fields = {"csrfmiddlewaretoken": form.csrf_token, "login": email, "password": password}
        answer = self.post("/account/login/", fields)
        if answer.status != 302:
            raise SystemExit(f"{email} can't sign in: {answer.status}")
        return self

    def _ask(self, method, path, body=None, headers=()) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Accept-Encoding": "identity", **dict(headers)}
        started = time.perf_counter()
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(response.status, response.headers, content, seconds)
