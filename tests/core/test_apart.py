"""What strangers send is read apart, and neither its time nor its memory is the server's."""

import contextlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from core import apart as module
from core.apart import apart


def echo(data: bytes) -> bytes:
    print("what is printed is no answer")
    return data[::-1]


def refuse(data: bytes) -> bytes:
    raise ValueError(f"The file has {len(data)} bytes — too few: send more.")


def fail(data: bytes) -> bytes:
    raise RuntimeError(data)


def sleep(data: bytes) -> bytes:
    time.sleep(60)
    return data


def take_memory(data: bytes) -> bytes:
    return np.ones(2 * module.MEMORY, np.uint8).tobytes() + data


def loaded(data: bytes) -> bytes:
    return " ".join(name for name in ("tensorflow", "streamlit") if name in sys.modules).encode()


def test_bytes_go_there_and_back() -> None:
    data = bytes(range(256)) * 5_000  # more than a pipe holds
    assert apart(echo, data) == data[::-1]
    assert apart(echo, b"") == b""


def test_its_own_sentence_comes_back() -> None:
    with pytest.raises(ValueError, match=r"^The file has 3 bytes — too few: send more.$"):
        apart(refuse, b"abc")


@pytest.mark.parametrize("function", [fail, take_memory])
def test_an_end_without_an_answer_is_a_sentence(function: module.Reader) -> None:
    with pytest.raises(ValueError, match="failed, or takes too much memory: save it"):
        apart(function, b"")


def test_the_deadline_is_kept_and_others_are_served_meanwhile() -> None:
    failures: list[str] = []

    def visit() -> None:
        try:
            apart(sleep, b"", seconds=2)
        except ValueError as error:
            failures.append(str(error))

    slow = threading.Thread(target=visit)
    slow.start()
    assert apart(echo, b"ab", seconds=60) == b"ba"
    slow.join()
    assert failures == ["Reading the file takes more than 2 s: save it smaller or in another way."]


def test_only_a_few_are_read_at_once() -> None:
    with contextlib.ExitStack() as full:
        while module._places.acquire(blocking=False):
            full.callback(module._places.release)
        with pytest.raises(ValueError, match="just now: try it again"):
            apart(echo, b"", seconds=0.01)
    assert apart(echo, b"ab") == b"ba"


def test_the_process_loads_neither_tensorflow_nor_streamlit() -> None:
    assert apart(loaded, b"") == b""


def test_it_is_started_from_any_folder(tmp_path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(module._ROOT)!r}); "
        "from core.apart import apart; from core.data.pictures import decode\n"
        "try: apart(decode, b'no picture')\n"
        "except ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert done.stdout.decode() == "The picture is damaged or cut off: save it again.\n"
