from pathlib import Path

import pytest

from core.work import capacity

MB = 2**20


@pytest.mark.parametrize(
    ("memory", "cores", "places"),
    [
        (690, 2, 0),  # the least that Streamlit Community Cloud gives
        (1_899, 2, 0),
        (1_900, 2, 1),
        (2_699, 2, 1),
        (2_700, 2, 2),  # the most
        (64_000, 2, 2),
        (64_000, 1, 0),
        (64_000, 1.5, 0),
        (64_000, 16, 16),
        (3_100, 16, 2),
        (3_500, 16, 3),
    ],
)
def test_as_many_workers_as_memory_and_cores_have_room_for(
    memory: int, cores: float, places: int
) -> None:
    assert capacity.places(memory * MB, cores) == places


def test_a_container_has_what_its_limits_say(tmp_path: Path) -> None:
    assert capacity.memory(tmp_path) > 256 * MB, "of the machine"
    assert capacity.cores(tmp_path) >= 1
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text(f"{200 * MB}\n")
    assert capacity.memory(tmp_path) == 200 * MB
    (tmp_path / "memory.max").write_text(f"{100 * MB}\n")
    assert capacity.memory(tmp_path) == 100 * MB
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert capacity.cores(tmp_path) == 0.5


def test_without_limits_it_has_the_machine(tmp_path: Path) -> None:
    unlimited = capacity.memory(tmp_path), capacity.cores(tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert (capacity.memory(tmp_path), capacity.cores(tmp_path)) == unlimited
