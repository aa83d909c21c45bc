"""A visitor without a browser: opens a page over the server's WebSocket, and moves its sliders.

It says what the browser says: the state of the widgets that were moved, and which fragment the
moved one stands in. It draws nothing, and asks for no file.
"""

import random
import time
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Button_pb2 import Button
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from websockets.sync.client import connect
from websockets.typing import Subprotocol

_PATIENCE = 120  # seconds without a word from the server


class Visitor:
    """A session on one page of the server at `url`, such as "adversarial"; a context manager.

    query: of the page's link. session: the name of the one to take up again, as a browser does
    after the connection was cut; from the first answer on, of its own. sent: the bytes that the
    server has sent so far. sliders, buttons: those that stand on the page, by key. metrics: what
    the cards of a number say, by their label. exceptions: how many the pages have shown.
    """

    def __init__(self, url: str, page: str, query: str = "", *, session: str = "") -> None:
        self.page, self.sent, self.exceptions, self.session = page, 0, 0, session
        self.sliders: dict[str, Slider] = {}
        self.buttons: dict[str, Button] = {}
        self.metrics: dict[str, str] = {}
        self._hash = ""  # what the server calls the page, once it has been there
        self._texts: dict[str, str] = {}
        self._fragments: dict[str, str] = {}
        self._ticks: dict[str, float] = {}  # seconds between the runs of a fragment that runs alone
        self._link = dict(parse_qsl(query))
        address = url.replace("http", "ws", 1)
        self._socket = connect(
            f"{address}/_stcore/stream",
            subprotocols=[Subprotocol(each) for each in ("streamlit", "none", session) if each],
            max_size=None,
            compression=None,
        )

    def __enter__(self) -> Self:
        self._socket.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.__exit__(kind, error, trace)

    def open(self, page: str | None = None) -> None:
        """Run the page, or another one, and wait until it is there."""
        if page is not None and page != self.page:
            self.page, self._hash = page, ""
            self._link, self._texts = {}, {}
        self._run("")

    def move(self, key: str, steps: int) -> None:
        """Set a slider to so many steps above its default, and wait until what it changes is there.

        Behind its upper end it goes on from the lower.
        """
        slider = self.sliders[key]
        place = (round((slider.default[0] - slider.min) / slider.step) + steps) % places(slider)
        text = slider.options[place] if slider.options else f"{slider.min + place * slider.step:g}"
        self._texts[key] = text
        if slider.query_param_key:
            self._link[slider.query_param_key] = text
        self._run(self._fragments[key])

    def move_any(self, dice: random.Random) -> None:
        """Set one slider of the page, whichever, to any other of its places than its default's."""
        free = [key for key, slider in self.sliders.items() if _is_free(slider)]
        if not free:
            self._run("")
            return
        key = dice.choice(free)
        self.move(key, dice.randrange(1, places(self.sliders[key])))

    def press(self, key: str) -> None:
        """Press a button, and wait until what it does is there."""
        self._run(self._fragments[key], pressed=self.buttons[key].id)

    def watch(self, seconds: float) -> None:
        """Stay so long, and run what runs alone on the page, as a browser does."""
        now = time.monotonic()
        until, due = now + seconds, dict.fromkeys(self._ticks, now)
        while (now := time.monotonic()) < until:
            for fragment in [each for each, moment in due.items() if moment <= now]:
                due[fragment] = now + self._ticks[fragment]
                if fragment in self._ticks:
                    self._run(fragment, alone=True)
            due = {each: due.get(each, now) for each in self._ticks}
            time.sleep(max(0.0, min([*due.values(), until]) - time.monotonic()))

    def _run(self, fragment: str, *, pressed: str = "", alone: bool = False) -> None:
        message = BackMsg()
        asked = message.rerun_script
        asked.page_script_hash, asked.page_name = self._hash, "" if self._hash else self.page
        asked.fragment_id, asked.is_auto_rerun = fragment, alone
        asked.query_string = urlencode(self._link)
        for key in self._texts.keys() & self.sliders.keys():
            state = asked.widget_states.widgets.add(id=self.sliders[key].id)
            if self.sliders[key].options:
                state.string_array_value.data.append(self._texts[key])
            else:
                state.double_array_value.data.append(float(self._texts[key]))
        if pressed:
            asked.widget_states.widgets.add(id=pressed, trigger_value=True)
        self._socket.send(message.SerializeToString())
        while not self._is_last(self._heard()):
            pass

    def _heard(self) -> ForwardMsg:
        data = self._socket.recv(_PATIENCE)
        assert isinstance(data, bytes)
        self.sent += len(data)
        return ForwardMsg.FromString(data)

    def _is_last(self, message: ForwardMsg) -> bool:
        """Take a message in; whether the run that was asked for has ended."""
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._see(message.delta)
        elif kind == "new_session":
            self.session = message.new_session.initialize.session_id
            self._forget(set(message.metadata.run.fragment_ids))
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self._ticks[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._ticks.pop(fragment, None)
        elif kind == "page_info_changed":
            self._link = dict(parse_qsl(message.page_info_changed.query_string))
        elif kind == "script_finished":
            return message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return False

    def _forget(self, drawn: set[str]) -> None:
        """What a run will draw anew is not there any more: those fragments, or the whole page."""
        if not drawn:
            self._ticks.clear()
        for known in (self.sliders, self.buttons):
            for key in [key for key in known if not drawn or self._fragments[key] in drawn]:
                del known[key]

    def _see(self, delta: Delta) -> None:
        """Remember what can be moved, pressed or read, and the fragment that it stands in."""
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "slider":
            key = element.slider.id.split("-", 2)[2]
            self.sliders[key], self._fragments[key] = element.slider, delta.fragment_id
        elif kind == "button":
            key = element.button.id.split("-", 2)[2]
            self.buttons[key], self._fragments[key] = element.button, delta.fragment_id
        elif kind == "metric":
            self.metrics[element.metric.label] = element.metric.body
        elif kind == "exception":
            self.exceptions += 1


def places(slider: Slider) -> int:
    """How many values it can have."""
    return round((slider.max - slider.min) / slider.step) + 1


def _is_free(slider: Slider) -> bool:
    return not slider.disabled and len(slider.default) == 1 and places(slider) > 1
