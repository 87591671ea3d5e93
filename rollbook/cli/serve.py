"""`rollbook serve`: the web server, granian, with the console and the REST door in each of its processes."""

import contextlib
import http.client
import io
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from granian import Granian
from granian.constants import Interfaces

from rollbook.cli.check import in_order
from rollbook.cli.restart import restart_with
from rollbook.cli.sftpd import sftp_beside
from rollbook.cli.worker import worker_beside
from rollbook.early import HOST, PORT, settings_of_serve
from rollbook.flows.schedule import keep
from rollbook.store.routers import homes

# A page of a thousand records is some 0.4 MB: without these glibc maps and unmaps that much for every answer.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "268435456"}
YEAR = 31_536_000
LOOKED_EVERY = 0.1


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = HOST,
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = PORT,
    workers: Annotated[
        int, typer.Option(help="Server processes; 0 = one per processor, four at most.", min=0)
    ] = 0,
    threads: Annotated[int, typer.Option(help="Requests one process works on at a time.", min=1)] = 4,
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="Also walk the runs that wait, in a process of its own."),
    ] = True,
) -> None:
    """Serve the console and the REST API until SIGTERM or Ctrl-C."""
    restart_with(settings_of_serve(host, port, os.environ.get("ROLLBOOK_PUBLIC_URL", "")))
    if not in_order():
        raise typer.Exit(1)
    run_server(host, port, workers, threads, worker)


def run_server(host: str, port: int, workers: int = 0, threads: int = 4, worker: bool = True) -> None:
    """Collects the static files and serves; returns when a signal has ended it. Raises typer.Exit(1) on a port in use."""
    refuse_taken_port(host, port)
    if settings.SFTP_PORT:
        refuse_taken_port(settings.SFTP_HOST, settings.SFTP_PORT, "ROLLBOOK_SFTP_PORT")
    collect_static_files()
    connections.close_all()
    # A stream keeps a thread while it lasts: half of them stay for everybody else.
    os.environ["ROLLBOOK_STREAMS"] = str(min(settings.STREAMS, threads // 2))
    server = granian(
        "rollbook.wsgi:application",
        host,
        port,
        workers,
        threads,
        static_path_route=[settings.STATIC_URL.rstrip("/")],
        static_path_mount=[settings.STATIC_ROOT],
        static_path_expires=YEAR,
    )

    # Who starts it waits for the first page: what runs beside it begins after that.
    def turn() -> bool:
        return answers(host, port)

    with clock_running(), sftp_beside(turn), worker_beside(turn) if worker else contextlib.nullcontext():
        server.serve()
    bring_logs_in()


def answers(host: str, port: int) -> bool:
    """Whether the server on this machine answers."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def clock_running() -> Iterator[None]:
    """Does what falls due by the clock, in a thread, while the block runs."""
    stop = threading.Event()
    clock = threading.Thread(target=_keep_clock, args=(stop,), name="clock", daemon=True)
    clock.start()
    try:
        yield
    finally:
        stop.set()
        clock.join(1)  # it rests, nearly always; what it does can be broken off at any line


def _keep_clock(stop: threading.Event) -> None:
    keep(stop)
    connections.close_all()


def bring_logs_in() -> None:
    """Whoever is the last to close a SQLite file brings its log into it; the server's processes end without closing."""
    for alias in homes():
        connections[alias].ensure_connection()
    connections.close_all()


class Interrupt(threading.Event):
    """Waited for in short sleeps. Python hears of a signal in its main thread only, and one that another thread took, or that came in the moment
    before a wait, would not end that wait: the server would never end.
    """

    def wait(self, timeout: float | None = None) -> bool:
        until = None if timeout is None else time.monotonic() + timeout
        while not self.is_set() and (until is None or time.monotonic() < until):
            time.sleep(LOOKED_EVERY)
        return self.is_set()


def granian(application: str, host: str, port: int, workers: int, threads: int, **static: Any) -> Granian:
    """The server, set up for answers of some 0.4 MB; the bench serves its floor by the same."""
    os.environ.update(MALLOC)
    # Fresh processes: glibc reads the above only at a start, and a forked child would share the parent's connections.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        application,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers or min(os.cpu_count() or 1, 4),
        blocking_threads=threads,
        backlog=1024,
        backpressure=256,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=False,
        log_level="warning",  # type: ignore[arg-type]  # granian takes the word and its enum alike
        **static,
    )
    server.main_loop_interrupt = Interrupt()
    return server


def refuse_taken_port(host: str, port: int, chosen_by: str = "--port") -> None:
    """Says so at once when another program has the port; the server itself would share it silently."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            typer.echo(
                f"Cannot listen on {host}:{port}: {fault.strerror}. Choose another with {chosen_by}.",
                err=True,
            )
            raise typer.Exit(1) from fault


def collect_static_files() -> None:
    """Copies what is served as files into the data folder, under names that carry their hash."""
    storages = settings.STORAGES["staticfiles"]
    storages["BACKEND"] = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    with contextlib.redirect_stdout(io.StringIO()):
        call_command("collectstatic", interactive=False, verbosity=0)
