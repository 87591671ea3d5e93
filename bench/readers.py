"""Two clients that read without pause while something else happens: one with OAuth 2, one that signs with OAuth 1.0a."""

import itertools
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from bench.districts import V1P1, Key, token

PAUSE = 0.05
"""Seconds between two requests of a client: twenty a second, so that the readers are not the load that is measured."""

PAGE = 100


class Readers:
    """A context in which both read; afterwards `waits` has the seconds of every answer and `errors` what was no answer."""

    def __init__(self, url: str, key: Key) -> None:
        self.waits: list[float] = []
        self.errors: list[str] = []
        self._url, self._ended = url, threading.Event()
        bearer = {"Authorization": f"Bearer {token(url, key)}"}
        signer = Client(
            key.client_id, client_secret=key.client_secret, signature_method=SIGNATURE_HMAC_SHA256
        )
        ways: list[Callable[[str], Mapping[str, str]]] = [
            lambda _: bearer,
            lambda address: signer.sign(address)[1],
        ]
        self._threads = [threading.Thread(target=self._read, args=(way,)) for way in ways]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _read(self, authorized: Callable[[str], Mapping[str, str]]) -> None:
        for number in itertools.count():
            if self._ended.wait(PAUSE):
                return
            address = f"{self._url}{V1P1}/enrollments?limit={PAGE}&offset={number % 5 * PAGE}"
            began = time.perf_counter()
            try:
                request = urllib.request.Request(address, headers=dict(authorized(address)))
                with urllib.request.urlopen(request, timeout=60) as answer:
                    answer.read()
            except OSError as fault:
                self.errors.append(f"{type(fault).__name__}: {fault}")
            self.waits.append(time.perf_counter() - began)
