"""Who works long rests while others want the processors, and only then; a delivery is copied so, whole and with its fingerprint."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rollbook.store import giving_way
from rollbook.store.copying import BLOCK, copy
from rollbook.store.giving_way import LONGEST, SHARE, SHORTEST, GivingWay


@dataclass
class Machine:
    """A clock, what a thread has run and waited on it, in seconds, and the rests that were taken."""

    waits: Path
    now: float = 0.0
    ran: float = 0.0
    waited: float = 0.0
    rests: list[float] = field(default_factory=list)

    def work(self, ran: float, waited: float = 0.0, asleep: float = 0.0) -> None:
        """For so long it ran, waited for a processor, and waited for something else."""
        self.now += ran + waited + asleep
        self.ran += ran
        self.waited += waited
        self.waits.write_text(f"{self.ran * 1e9:.0f} {self.waited * 1e9:.0f} 7\n", encoding="ascii")

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.rests.append(round(seconds, 6))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "schedstat")
    machine.work(0)
    monkeypatch.setattr(giving_way, "WAITS", machine.waits)
    monkeypatch.setattr(giving_way, "time", machine)
    return machine


def test_where_nobody_wants_a_processor_nobody_rests(machine: Machine) -> None:
    give_way = GivingWay()
    for _ in range(5):
        machine.work(0.1, waited=0.01, asleep=0.3)
        give_way()
    assert machine.rests == []


def test_where_others_want_them_the_rest_is_longer_than_the_work(machine: Machine) -> None:
    give_way = GivingWay()
    machine.work(0.03, waited=0.02, asleep=0.05)
    give_way()
    machine.work(1, waited=1)
    give_way()
    machine.work(0.1)
    give_way()
    assert machine.rests == [round(SHARE * 0.1, 6), LONGEST], "and none once they do not any more"


def test_small_pieces_add_up(machine: Machine) -> None:
    give_way = GivingWay()
    for _ in range(4):
        machine.work(SHORTEST * 0.2, waited=SHORTEST * 0.2)
        give_way()
    assert len(machine.rests) == 1


def test_where_nothing_tells_of_waits_nobody_rests(machine: Machine) -> None:
    give_way = GivingWay()
    machine.work(0.1, waited=0.9)
    machine.waits.unlink()
    give_way()
    assert machine.rests == []


@pytest.mark.parametrize("size", [0, 1, BLOCK, 3 * BLOCK + 1])
def test_a_copy_is_whole_and_has_the_fingerprint_of_the_file(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "file").write_bytes(content[:size])
    taken = hashlib.sha256()
    assert copy(tmp_path / "file", tmp_path / "kept", taken) == size
    assert (tmp_path / "kept").read_bytes() == content[:size]
    assert taken.hexdigest() == hashlib.sha256(content[:size]).hexdigest()


def test_what_is_there_already_is_not_written_over(tmp_path: Path) -> None:
    for name in ("file", "kept"):
        (tmp_path / name).write_text(name, encoding="ascii")
    with pytest.raises(FileExistsError):
        copy(tmp_path / "file", tmp_path / "kept", hashlib.sha256())
    assert (tmp_path / "kept").read_text(encoding="ascii") == "kept"
