"""What a process of ours does at its end, and what it leaves undone."""

import subprocess
import sys

ENDS = """
import atexit, sys, threading, time
from rollbook.ending import Ending

class Kept:
    def __del__(self): sys.stdout.write("taken apart ")

ending, kept = Ending(), Kept()
kept.itself = kept
atexit.register(sys.stdout.write, "registered ")
threading.Thread(target=lambda: (time.sleep(0.1), sys.stdout.write("waited for "))).start()
"""


def ended(last: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ENDS + last], capture_output=True, text=True, check=False)


def test_threads_are_waited_for_and_what_was_registered_has_its_turn_and_nothing_is_taken_apart():
    done = ended("ending.code = 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "waited for registered ", "")


def test_a_fault_is_told_by_python_itself():
    done = ended("1 / 0")
    assert (done.returncode, done.stdout) == (1, "waited for registered taken apart ")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
