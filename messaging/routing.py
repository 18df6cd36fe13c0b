from django.urls import path

from .consumers import TicketConsumer, TicketListConsumer

websocket_urlpatterns = [
    path("ws/tickets/", TicketListConsumer.as_asgi()),
    path("ws/tickets/<slug:reference>/", TicketConsumer.as_asgi()),
]
