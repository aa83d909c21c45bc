"""A connection that is cut and comes back, in the middle of a training."""

from benchmarks.visitor import Visitor
from tests.browser.server import Server
from ui.visitor.session import GRACE_SECONDS

CUT = 60.0  # seconds


def test_a_training_goes_on_over_a_cut(server: Server) -> None:
    """What counts is whether the server waits longer than the cut lasts; here nobody has to."""
    assert CUT < GRACE_SECONDS
    server.gate.hold("Training", 0.0)
    try:
        with Visitor(server.url, "training", "epochs=1") as visitor:
            visitor.open()
            visitor.press("train")
            buttons, session = set(visitor.buttons), visitor.session
        while not _takes_it_up(server, session, buttons):
            pass  # until the server has seen that the connection is gone
    finally:
        server.gate.open()


def _takes_it_up(server: Server, session: str, buttons: set[str]) -> bool:
    """Whether the session is there again; then its training is, too, and can be stopped."""
    with Visitor(server.url, "training", session=session) as again:
        again.open()
        if again.session != session:
            return False
        assert set(again.buttons) == buttons
        assert again.buttons["train"].disabled, "the training was given up"
        again.press("stop")
        again.open()
        assert not again.buttons["train"].disabled
        assert not again.exceptions
        return True
