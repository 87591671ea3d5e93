"""A SCIM server that others wrote, as a real one on a port of its own, with or without our extension of groups."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from scim2_models import EnterpriseUser, Group, ResourceType, ScimProvider, User
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_provider, load_default_service_provider_config

from rollbook.connectors.scim.shapes import Keeping

TOKEN = "a token"


@cache
def keeping() -> ScimProvider:
    """A service that offers our extension of groups."""
    models = [User, EnterpriseUser, Group, Keeping]
    types = [ResourceType.from_resource(User[EnterpriseUser]), ResourceType.from_resource(Group[Keeping])]
    return ScimProvider(models, types, config=load_default_service_provider_config())


@cache
def plain() -> ScimProvider:
    """One that knows nothing of us."""
    return load_default_provider()


class Quiet(WSGIRequestHandler):
    """Says nothing of what it is asked."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        return None


@contextmanager
def running() -> Iterator[str]:
    """Its address; it knows one token."""
    app = BearerTokenApplication(InMemoryStorage(), keeping(), bearer_tokens=[TOKEN])
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v2"
        finally:
            server.shutdown()
            thread.join()
