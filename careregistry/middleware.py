from django.http import HttpResponse
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware

from .views import bare_page

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


class PrivacyHeadersMiddleware(MiddlewareMixin):
    """What a signed-in person saw stays in no cache; pages use no device."""

    def process_response(self, request, response):
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if "Cache-Control" not in response.headers and request.user.is_authenticated:
            response.headers["Cache-Control"] = "no-store"
        return response


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise's, answering with the bytes: its file iterator would block the event loop."""

    @staticmethod
    def serve(static_file, request):
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


class WrongMethodMiddleware(MiddlewareMixin):
    """Says it on a page. Whoever signs in anew after pressing a button is led to its address."""

    def process_response(self, request, response):
        if response.status_code == 405 and not response.content:
            response.content = bare_page("405.html")
        return response
