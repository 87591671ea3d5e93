"""The addresses of the console. The REST door answers its own before these are asked (api/door.py)."""

from django.urls import include, path

urlpatterns = [
    path("", include("rollbook.console.urls")),
]
