"""More than a form can bring is refused before it lands on the disk, on a page of ours."""

from asgiref.sync import async_to_sync

from careregistry.asgi import bounded


async def forms(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"kept"})


def answer_to(chunks, **headers):
    sent = []
    messages = [
        {"type": "http.request", "body": chunk, "more_body": more}
        for chunk, more in zip(chunks, [*[True] * (len(chunks) - 1), False], strict=True)
    ]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"headers": [(name.encode(), value) for name, value in headers.items()]}
    async_to_sync(bounded(forms, limit=10))(scope, receive, send)
    return sent


def test_what_fits_goes_through():
    start, body = answer_to([b"12345", b"67890"])

    assert (start["status"], body["body"]) == (200, b"kept")


def test_what_says_it_is_too_large_is_told_on_a_page():
    start, body = answer_to([b""], **{"content-length": b"11"})

    assert start["status"] == 413
    assert dict(start["headers"])[b"content-type"] == b"text/html; charset=utf-8"
    assert "That is too large to send" in body["body"].decode()
    assert "10 MB" in body["body"].decode()
