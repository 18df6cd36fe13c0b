from django.urls import path

from careregistry.urls import *  # noqa: F403
from careregistry.urls import urlpatterns

from . import yardstick

urlpatterns = [
    path("yardstick/", yardstick.page),
    path("yardstick/public/", yardstick.public_page),
    path("yardstick/write/", yardstick.write),
    *urlpatterns,
]
