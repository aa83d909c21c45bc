"""The program that forks workers: `python -m core.work.supervisor DESCRIPTOR`, a socket's.

It has imported what a worker needs and read MNIST, so a worker is there in 20 ms and shares that
memory. It has computed nothing, since TensorFlow hangs in a process that was forked after it has.
It is a program of its own because a process that is started from Streamlit's by Python's
multiprocessing runs the page again, and because its environment is ours.
"""

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import warnings

from core.work.worker import serve

FORK, END, STAY = b"fork", b"end", b"stay"
IDLE_SECONDS = 60.0  # without a worker or a message, after which it gives its memory back
NO_PROCESS = 0  # in place of a process number: there was no memory for one
# Of what is imported, nothing may compute; core.defenses does. A worker imports the rest itself.
_PRELOADED = ("core.attacks.catalog", "core.training.recording", "core.zoo.models")


def _preload() -> None:
    for name in _PRELOADED:
        importlib.import_module(name)
    mnist = importlib.import_module("core.data.mnist")
    with contextlib.suppress(mnist.DataError):  # a worker says so
        mnist.load_mnist()
    gc.collect()
    gc.freeze()  # a collection in a worker would write to all of it, and copy it so


def _fork(control: socket.socket, descriptor: int) -> int:
    """The number of a new process that serves at the socket `descriptor`."""
    try:
        number = os.fork()
    except OSError:
        number = NO_PROCESS
    else:
        if number == 0:
            control.close()  # or the server would not hear of the supervisor's end
            serve(descriptor)
    os.close(descriptor)
    return number


def _end(number: int) -> int:
    """Kill a worker unless it has ended, and its exit code; negative: the signal that ended it."""
    os.kill(number, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def main(descriptor: int) -> None:
    """Fork and end workers as the server asks; when it hangs up, end all of them."""
    warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
    _preload()
    workers: set[int] = set()
    hung_up = contextlib.suppress(TimeoutError, ConnectionError)
    with socket.socket(fileno=descriptor) as control, hung_up:
        control.settimeout(IDLE_SECONDS)
        while _answered(control, workers):
            control.settimeout(None if workers else IDLE_SECONDS)
    for worker in workers:
        _end(worker)


def _answered(control: socket.socket, workers: set[int]) -> bool:
    """Do what the next message asks; False when the server has hung up."""
    message, descriptors, _, _ = socket.recv_fds(control, 64, 1)
    command, _, number = message.partition(b" ")
    if command == FORK:
        answer = _fork(control, descriptors[0])
        workers |= {answer} - {NO_PROCESS}
    elif command == END:
        answer = _end(int(number)) if int(number) in workers else -signal.SIGKILL
        workers.discard(int(number))  # of an earlier supervisor: ends with its socket
    else:
        return command == STAY
    control.send(str(answer).encode())
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]))
