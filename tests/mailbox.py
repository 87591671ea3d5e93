"""A real SMTP server, and what it was given: for tests of everything that sends e-mail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message as Email
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.test import override_settings

from tests.installation import free_port


@dataclass
class Mailbox:
    """The messages that came, in order. An address in `refused` is not taken."""

    letters: list[Email] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def recipients(self) -> list[str]:
        return [str(letter["X-RcptTo"]) for letter in self.letters]


class Kept(Message):
    """Puts into the mailbox what is not refused."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__()
        self.mailbox = mailbox

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.mailbox.refused:
            return "550 No such person here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    def handle_message(self, message: Email) -> None:
        self.mailbox.letters.append(message)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Rollbook's mail settings point to a server of this test's own."""
    mailbox = Mailbox()
    server = Controller(Kept(mailbox), hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        with mail_settings(server.port):
            yield mailbox
    finally:
        server.stop()


def mail_settings(port: int) -> override_settings:
    """Mail goes to this port of this machine."""
    return override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=port,
        EMAIL_USE_TLS=False, EMAIL_USE_SSL=False, EMAIL_HOST_USER="",
    )  # fmt: skip
