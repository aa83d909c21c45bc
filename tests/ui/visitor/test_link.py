"""What a link may say, and what a page says of what it cannot take."""

import functools
import itertools
from collections.abc import Iterator, Mapping

import pytest
from streamlit.testing.v1 import AppTest

from core.data.spec import MNIST
from tests.ui.conftest import notice_of, open_link, text_of
from ui.header.navigation import VIEWS
from ui.views.adversarial.page import _VIEWS as ADVERSARIAL
from ui.views.defenses.page import _VIEWS as DEFENSES
from ui.visitor import images, state
from ui.visitor.link import Visit
from ui.visitor.parameters import (
    Number,
    OneOf,
    Parameter,
    Reading,
    SomeOf,
    Switch,
    Text,
    Texts,
    quoted,
)

_TURNS = 3
PAGES = {  # and the views that a page does not open by itself
    **{view.file: {} for view in VIEWS},
    **{f"adversarial, {name}": {"view": name} for name in list(ADVERSARIAL)[1:]},
    **{f"defenses, {name}": {"defense_view": name} for name in list(DEFENSES)[1:]},
}
BAD = (  # of any parameter
    "inf",
    "nan",
    "1e400",
    "1" + 400 * "0",
    "-1",
    "",
    "1_0",
    "٣",
    "true?",
    "0x10",
    "x" * 10_000,
    "`![a](//b.c/d.png) :red[e] <f> $g$",
    "\u202e\n|\x00",
    "run-1",
)


@pytest.mark.parametrize(
    "text", ["5", "+5", " 5", "5 ", "05", "5.0", "5.", "5e0", "50e-1", "0.5E+1"]
)
def test_one_number_is_written_in_many_ways(text: str) -> None:
    assert Number(0, 9, 1, whole=True).read((text,)) == Reading(("5",), exact=True)


@pytest.mark.parametrize("text", [*BAD, "5.5", "10", "-0.1", "5,0", "1e", "e5", ".", "5 5", "五"])
def test_nothing_else_is_a_whole_number_below_ten(text: str) -> None:
    reading = Number(0, 9, 1, whole=True).read((text,))
    assert reading.taken is None
    assert not reading.exact


@pytest.mark.parametrize(
    ("said", "taken", "exact"),
    [
        ("0.3", "0.3", True),
        ("0.30000000000000004", "0.3", True),
        ("3e-1", "0.3", True),
        ("0.31", "0.3", False),
        ("0.3001", "0.3", False),
        ("1", "1", True),
        ("0.99", "1", False),
        ("0", None, False),
    ],
)
def test_a_number_between_two_steps_goes_to_the_nearer(
    said: str, taken: str | None, exact: bool
) -> None:
    reading = Number(0.05, 1.0, 0.05, whole=False).read((said,))
    assert reading == Reading(taken and (taken,), exact=exact)


def test_the_last_step_may_end_before_the_range_does() -> None:
    assert Number(1, 8, 3, whole=True).read(("8",)) == Reading(("7",), exact=False)


def test_what_is_said_twice_counts_once_or_not_at_all() -> None:
    number, choice = Number(0, 9, 1, whole=True), OneOf(("a", "b"))
    assert number.read(("5", "5")) == Reading(("5",), exact=True)
    assert number.read(("5", "6")).taken is None
    assert choice.read(("a", "a")) == Reading(("a",), exact=True)
    assert choice.read(("a", "b")).taken is None


def test_of_several_choices_those_that_are_there_are_taken() -> None:
    choices = SomeOf(("a", "b", "c"))
    assert choices.read(("c", "a")) == Reading(("c", "a"), exact=True)
    assert choices.read(("c", "x")) == Reading(("c",), exact=False)
    assert choices.read(("x",)) == Reading(None, exact=False)
    assert choices.read(("",)) == Reading(("",), exact=True)


@pytest.mark.parametrize("text", BAD)
def test_a_link_stands_in_markdown_as_text(text: str) -> None:
    """Code begins with so many backticks as are nowhere in it, and holds one line."""
    shown = quoted(text)
    fence = shown[: len(shown) - len(shown.lstrip("`"))]
    assert shown.endswith(fence)
    assert fence not in shown[len(fence) : -len(fence)]
    assert shown.isprintable()
    assert len(shown) < 60


def test_a_sentence_that_repeats_a_link_is_text() -> None:
    def written(said: str) -> str:
        raise ValueError(f"There is no {said}.")

    why = Text(written, "nothing").read((10_000 * "[a](b)",)).why
    assert why.startswith("There is no \\[")
    assert len(why) < 1_000


@pytest.mark.parametrize("text", ["5, 9", "5 9", "9,,5 ,", "5.0 9"])
def test_images_beside_are_listed(text: str) -> None:
    assert images.others(MNIST).read((text,)).exact


def _drawn(app: AppTest) -> dict[str, Parameter]:
    """What the controls of the page take, by name."""
    visit: Visit = app.session_state["_visit"]
    return dict(visit.drawn)


@functools.cache
def _clean(name: str) -> AppTest:
    """The page as a link opens it that says nothing but the view."""
    return open_link(name.split(",")[0], PAGES[name])


def _wrong(parameter: Parameter) -> Iterator[str]:
    return itertools.cycle([text for text in BAD if not parameter.read((text,)).exact])


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_a_link_says_breaks_a_page(name: str) -> None:
    """Each control of the page is told something else that is wrong, all at once, again and again.

    The controls are those that the page draws: a new one is tried by itself.
    """
    page, view = name.split(",")[0], PAGES[name]
    clean = _clean(name)
    drawn = {key: each for key, each in _drawn(clean).items() if key not in view}
    assert not notice_of(clean)
    texts = {key: _wrong(parameter) for key, parameter in drawn.items()}
    for turn, text in enumerate(texts.values()):
        for _ in range(turn % len(BAD)):  # so that neighbors differ
            next(text)
    for turn in range(_TURNS):
        said = {key: next(text) for key, text in texts.items()}
        app = open_link(page, {**view, **said, f"unknown{turn}": "1"})
        assert not app.exception, said
        assert [each.value for each in app.error] == [each.value for each in clean.error]
        notice = notice_of(app)
        unnamed = [key for key in drawn if f"{key}=" not in notice]
        assert not unnamed, (unnamed, said)
        assert f"`unknown{turn}`" in notice
        assert _values(app, drawn) == _values(clean, drawn)


def _values(app: AppTest, names: Mapping[str, object]) -> dict[str, object]:
    """What the controls are set to."""
    stored = app.session_state
    found = {name: stored[name] for name in names if name in stored}
    return {name: value for name, value in found.items() if value != ""}


def test_a_value_of_another_page_is_named(app: AppTest) -> None:
    app = open_link("occlusion", {"lr": "1e-3", "view": "Scoreboard"})
    assert "`lr`, `view`: nothing that is shown here is set by that" in notice_of(app)


def test_what_was_lost_with_its_session_is_named() -> None:
    for key in ("upload-1", "run-1", "edited-1", "upload-1~blur-1"):
        app = open_link("overview", {"model": key})
        notice = notice_of(app)
        assert f"`model={key}`: `Model 1` was taken instead" in notice
        assert "lives in the session that it was made in" in notice
        assert app.session_state[state.MODEL] == "model-1"


def test_the_notice_stays_until_it_is_dismissed_or_the_page_is_left() -> None:
    app = open_link("occlusion", {"block": "99", "change": "", "nothing": "1"})
    app.slider(key="block").set_value(5).run()
    assert "`block=99`: `12` was taken instead" in notice_of(app)
    app.button(key="link-dismiss").click().run()
    assert not notice_of(app)
    app.slider(key="block").set_value(6).run()
    assert not notice_of(app)
    app = open_link("occlusion", {"block": "99"})
    app.switch_page("pages/layers.py").run()
    assert not notice_of(app)
    app.switch_page("pages/occlusion.py").run()
    assert not notice_of(app)
    assert not app.exception


def test_what_a_link_says_comes_along_to_the_next_page() -> None:
    app = open_link("overview", {"image": "7", "more": "5, 8"})
    for page in ("layers", "occlusion"):
        app.switch_page(f"pages/{page}.py").run()
        assert app.query_params == {"image": "7", "more": "5, 8"}
        assert app.number_input(key="image").value == 7
    app = open_link("overview", {"image": "7"}).switch_page("pages/occlusion.py").run()
    assert "One block turns this 9 into a 4" in text_of(
        app
    )  # and not what holds of the first image


def test_a_link_that_streamlit_refuses_as_a_whole_is_named() -> None:
    app = open_link("overview", {"image": "3", **{f"x{number}": "" for number in range(1_000)}})
    assert "nothing of it was read" in notice_of(app)
    assert not app.query_params
    app.run()
    assert "nothing of it was read" in notice_of(app)


def test_more_unknown_names_than_can_be_listed_are_counted() -> None:
    app = open_link("overview", {f"x{number}": "" for number in range(990)})
    assert "`x9` and 980 more: nothing that is shown here is set by that" in notice_of(app)


def test_a_hidden_control_is_read_when_it_is_drawn() -> None:
    app = open_link("feature_maps", {"beside": "inf"})
    assert "`beside`: nothing" in notice_of(app)
    app.selectbox(key="compare").select("Another image").run()
    assert not app.exception
    assert "`beside=inf`: `2` was taken instead" in notice_of(app)


def test_a_link_comes_back_in_its_one_way() -> None:
    app = open_link("occlusion", {"block": "+5", "stride": "2.0", "image": " 3", "pixels": "TRUE"})
    assert not notice_of(app)
    assert app.query_params == {"block": "5", "stride": "2", "image": "3", "pixels": "true"}
    app = open_link("overview", {"model": "model-1~median-4.9999999"})
    assert app.query_params == {"model": "model-1~median-5"}
    assert "Model 1, Median 5" in text_of(app)
    assert not notice_of(app)


def _page(drawn):
    """Every control of the project that the link binds, and nothing else."""
    from ui.controls import bound
    from ui.visitor import link, parameters

    with link.visit("all"):
        for key, each in drawn.items():
            if isinstance(each, parameters.Number):
                draw = bound.slider if each.high < 1_000_000 else bound.number_input
                kind = int if each.whole else float
                low, high, step = kind(each.low), kind(each.high), kind(each.step)
                draw(key, low, high, low, step, key=key)
            elif isinstance(each, parameters.OneOf):
                start = None if each.optional else each.options[0]
                required = not each.optional
                bound.pills(key, each.options, key=key, default=start, required=required)
            elif isinstance(each, parameters.SomeOf):
                bound.pills(key, each.options, key=key, selection_mode="multi")
            elif isinstance(each, parameters.Switch):
                bound.toggle(key, key=key)
            else:
                bound.text_input(key, each, key=key)


def _valid(parameter: Parameter, which: float) -> Texts:
    """The first (0), last (1) or another text that a parameter takes."""
    if isinstance(parameter, Number):
        return (parameter.text(parameter.low + which * (parameter.high - parameter.low)),)
    if isinstance(parameter, OneOf):
        return (parameter.options[round(which * (len(parameter.options) - 1))],)
    if isinstance(parameter, SomeOf):
        return tuple(parameter.options[: 1 + round(which * 2)])
    if isinstance(parameter, Switch):
        return ("true" if which else "false",)
    return ("7, 8",)


@pytest.mark.parametrize("which", [0.0, 0.5, 1.0])
def test_a_link_that_the_page_writes_gives_another_visitor_the_same(which: float) -> None:
    drawn: dict[str, Parameter] = {}
    for name in PAGES:
        drawn |= _drawn(_clean(name))
    drawn = {
        key: each for key, each in drawn.items() if key not in ("model", "ink", "filters", "set")
    }
    assert len(drawn) > 90
    asked = {key: _valid(each, which) for key, each in drawn.items()}

    def visitor(link: Mapping[str, object] | None = None) -> AppTest:
        app = AppTest.from_function(_page, kwargs={"drawn": drawn}, default_timeout=60)
        app.query_params.update(link or {})
        return app.run()

    first = visitor(asked)
    assert not first.exception
    assert not notice_of(first)
    values, link = _values(first, drawn), dict(first.query_params)
    assert {key: _as_texts(text) for key, text in link.items()}.items() <= asked.items()
    second = visitor(link)
    assert not notice_of(second)
    assert _values(second, drawn) == values
    assert second.query_params == link
    third = visitor()  # and one who moves every control there
    for key, value in values.items():
        third.session_state[key] = value
    third.run()
    assert third.query_params == link


def _as_texts(said: str | list[str]) -> Texts:
    return (said,) if isinstance(said, str) else tuple(said)
