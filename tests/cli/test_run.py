"""`rollbook run` and `rollbook worker`, as processes: what waits, what is walked, what is waited for, what a killed command leaves."""

import json
import subprocess
import sys
import time

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests.installation import Installation

ENQUEUE = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from pathlib import Path
from rollbook.flows.jobs import enqueue_delivery
from rollbook.store.models import Connection
for _ in range(2):
    enqueue_delivery(Connection.objects.get(), Path(sys.argv[1]), "a test")
"""


def test_runs_wait_for_a_worker_and_a_command_takes_its_turn_among_them(installation: Installation):
    rollbook = installation.rollbook
    rollbook("district", "add", "Riverbend")
    installation.python("-c", ENQUEUE, str(RIVERBEND))
    waiting = json.loads(rollbook("run", "list", "--open", "--json").stdout)
    assert [(row["run"], row["phase"], row["outcome"]) for row in waiting] == [
        (2, "waiting", ""),
        (1, "waiting", ""),
    ]
    shown = json.loads(rollbook("run", "show", "2", "--json").stdout)
    assert (shown["ahead"], shown["percent"]) == (1, 0)
    assert rollbook("run", "wait", "1", "--seconds", "1", expect=4).stdout.startswith("Run 1: waiting")
    assert "cancelled" in rollbook("run", "cancel", "2").stdout
    command = subprocess.Popen(
        [sys.executable, "-m", "rollbook", "import", "1", str(RIVERBEND), "--yes"],
        env=installation.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert command.stderr
    assert "1 other import is before this one. No worker is running" in command.stderr.readline()
    with installation.working_from_nothing():
        assert "success" in rollbook("run", "wait", "1").stdout
        said, _ = command.communicate(timeout=60)
    assert "Run 3: success. Nothing changed." in said
    assert "come to its end" in rollbook("run", "cancel", "1", expect=1).stderr


def test_a_command_that_was_killed_lets_the_next_go_on(installation: Installation):
    rollbook = installation.rollbook
    rollbook("district", "add", "Riverbend")
    asking = subprocess.Popen(
        [sys.executable, "-m", "rollbook", "import", "1", str(RIVERBEND)],
        env=installation.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert asking.stdout
    while "The plan" not in asking.stdout.readline():
        pass
    # While somebody thinks about it, others need not wait.
    assert "success" in rollbook("import", "1", str(RIVERBEND), "--yes").stdout
    asking.kill()
    asking.communicate()
    with installation.working():
        end = time.monotonic() + 60
        while installation.rows("SELECT outcome FROM store_run WHERE id = 1") == [("",)]:
            assert time.monotonic() < end
            time.sleep(0.1)
    left = json.loads(rollbook("run", "show", "1", "--json").stdout)
    assert left["outcome"] == "failed"
    assert "stopped in the middle" in left["message"]
