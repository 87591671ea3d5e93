"""Which door answers which address. The doors' own tables of routes are in api/ and console/."""

from django.urls import include, path

urlpatterns = [
    path("", include("rollbook.api.urls")),
    path("", include("rollbook.console.urls")),
]
