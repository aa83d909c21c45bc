"""What a worker does: it answers one message after the other, until the server hangs up."""

import contextlib
import os
import pickle
import queue
import threading
import traceback
from collections.abc import Generator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from core.failures import NoMemory, Unexpected, is_foreign
from core.work.messages import (
    Call,
    Heard,
    Item,
    Open,
    Raised,
    Returned,
    Stop,
    Stopped,
)

_FIRST_TO_GO = "800"  # of 1,000: where memory runs out, the system ends a worker, not the server


def serve(descriptor: int) -> NoReturn:
    """Work for the server at the other end of the socket, and end when it does."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    line = _Line(descriptor)
    while True:
        line.answer(line.inbox.get())


class _Line:
    """The connection to the server, on which two threads speak."""

    def __init__(self, descriptor: int) -> None:
        self._connection: Connection[Any, Any] = Connection(descriptor)
        self._speaking = threading.Lock()
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def answer(self, message: Any) -> None:
        """Do what a message asks, and say what came of it."""
        try:
            if isinstance(message, Raised):
                raise message.error
            if isinstance(message, Open):
                for item in self._items(message):
                    self._say(Item(item))
                answer = Returned(None)
            elif isinstance(message, Call):
                answer = Returned(message.function(*message.arguments, **message.named))
            else:  # more of a stream that has ended
                return
            self._say(answer)
        except Exception as error:
            self._say(Raised(_sendable(error)))

    def _items(self, message: Open) -> Generator[Any]:
        """What the stream yields: an item for each message, and the rest once it is to stop."""
        generator = message.function(*message.arguments, **message.named)
        with contextlib.suppress(StopIteration, Stopped):
            while not isinstance(asked := self.inbox.get(), Stop):
                yield generator.send(asked.told)
            yield generator.throw(Stopped())
            yield from generator

    def _listen(self) -> None:
        """Hand on what comes; a server that is gone ends this process in the middle of its work."""
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)
            except Exception as error:  # arguments that cannot be read here
                message = Raised(error)
            if isinstance(message, Stop):
                self._say(Heard())
            self.inbox.put(message)

    def _say(self, message: object) -> None:
        data = pickle.dumps(message)
        with self._speaking, contextlib.suppress(OSError):  # `_listen` hears that, too
            self._connection.send_bytes(data)


def _sendable(error: Exception) -> Exception:
    """The error itself, where its words are ours and it arrives whole; or else that there was one.

    Many of TensorFlow's cannot be pickled, and where they came from is lost on the way.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return NoMemory()
    if not is_foreign(error):
        with contextlib.suppress(Exception):
            if str(pickle.loads(pickle.dumps(error))) == str(error):
                return error
    trace = "".join(traceback.format_exception(error))
    return Unexpected(type(error).__name__, trace)
