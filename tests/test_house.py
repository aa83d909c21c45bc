"""Which way imports may go."""

import ast
import graphlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_SCREEN = {"streamlit", "plotly", "altair"}


def _modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


ROOMS = {  # of core and of ui, from the ground up: none imports from one that comes later
    "core": (
        "work", "data", "statistics", "network", "optimization", "certification", "attacks",
        "training", "inspection", "defenses", "coach", "report", "studies", "zoo",
    ),
    "ui": (
        "text", "files", "assets", "figures", "theme", "show",
        "visitor", "components", "controls", "header", "views",
    ),
}  # fmt: skip


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for root in ROOMS for path in _modules(root)}


def _arrows(name: str) -> set[str]:
    """The modules of its own tree that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inside & MODULES.keys()) or {node.module}
    root = name.split(".")[0]
    return {target for target in found if target.split(".")[0] == root} - {name}


def _floor(name: str) -> int:
    """How high a module stands: 0 for the files that everything stands on."""
    root, *parts = name.split(".")
    return ROOMS[root].index(parts[0]) + 1 if parts and parts[0] in ROOMS[root] else 0


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_import_goes_up(name: str) -> None:
    assert {target for target in _arrows(name) if _floor(target) > _floor(name)} == set()


@pytest.mark.parametrize("name", [name for name in sorted(MODULES) if ".views." in name])
def test_a_view_imports_no_other_view(name: str) -> None:
    own = name.split(".")[2]
    others = {target for target in _arrows(name) if target.startswith("ui.views.")}
    assert {target for target in others if target.split(".")[2] != own} == set()


def test_no_import_goes_round_in_a_circle() -> None:
    sorter = graphlib.TopologicalSorter({name: _arrows(name) for name in MODULES})
    sorter.prepare()  # raises CycleError, with the circle


def test_a_class_has_its_name_for_itself() -> None:
    """One that others may import; what a file has for itself alone begins with “_”."""
    homes: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_every_folder_is_a_room_with_a_sentence() -> None:
    for root, rooms in ROOMS.items():
        folders = {path.parent.name for path in (ROOT / root).glob("*/__init__.py")}
        assert folders == {room for room in rooms if (ROOT / root / room).is_dir()}
        for path in (ROOT / root).rglob("__init__.py"):
            sentence = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]
            assert re.fullmatch(r"[A-Z].*\.", sentence), path


def test_a_view_is_named_as_its_page() -> None:
    folders = {
        path.name for path in (ROOT / "ui/views").iterdir() if (path / "__init__.py").exists()
    }
    assert folders == {path.stem for path in _modules("pages")}


@pytest.mark.parametrize("path", _modules("core"), ids=lambda p: p.stem)
def test_core_knows_no_screen(path: Path) -> None:
    roots = {name.split(".")[0] for name in _imports(path)}
    assert not roots & (_SCREEN | {"ui", "pages", "dashboard"})


def test_no_clock_that_can_be_set_back() -> None:
    """How long something took or may take is asked of a clock that only goes on."""
    paths = [path for folder in ("core", "ui", "pages") for path in _modules(folder)]
    assert len(paths) > 100
    wall = re.compile(r"time\.time\b|from time import|datetime|st_[amc]time\b")
    assert [path for path in paths if wall.search(path.read_text())] == []


@pytest.mark.parametrize("path", _modules("core"), ids=lambda p: p.stem)
def test_only_the_backend_loads_tensorflow(path: Path) -> None:
    roots = {name.split(".")[0] for name in _imports(path)}
    assert path.stem == "backend" or not roots & {"tensorflow", "keras"}


@pytest.mark.parametrize("path", _modules("core"), ids=lambda p: p.stem)
def test_compiled_functions_write_no_files(path: Path) -> None:
    """Autograph leaves a temporary file of source behind for each, and fails on a full disk."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    for call in calls:
        if ast.unparse(call.func) == "tf.function":
            assert "autograph" in {keyword.arg for keyword in call.keywords}, call.lineno


LONG = {"pgd", "apgd", "generate_from_noise", "move_toward", "optimize_images"}  # in links


def test_few_functions_take_many_parameters() -> None:
    """More than seven: no private one, ten public ones; more than nine: LONG, by what links name.

    Of modules and classes; a graph inside a function takes each slider as a tensor of its own.
    """
    many = []
    for path in _modules("core"):
        body = ast.parse(path.read_text()).body
        inside = [node for each in body if isinstance(each, ast.ClassDef) for node in each.body]
        for node in (*body, *inside):
            if isinstance(node, ast.FunctionDef):
                given = [*node.args.args, *node.args.kwonlyargs]
                count = sum(each.arg not in ("self", "cls") for each in given)
                many += [(node.name, count)] if count > 7 else []
    assert [name for name, _ in many if name.startswith("_")] == []
    assert len(many) <= 10
    assert {name for name, count in many if count > 9} <= LONG


@pytest.mark.parametrize("path", _modules("ui") + _modules("pages"), ids=lambda p: p.stem)
def test_pages_and_ui_leave_tensorflow_to_core(path: Path) -> None:
    roots = {name.split(".")[0] for name in _imports(path)}
    assert not roots & {"tensorflow", "keras", "pages", "dashboard"}


@pytest.mark.parametrize("path", _modules("ui") + _modules("pages"), ids=lambda p: p.stem)
def test_one_place_reads_and_writes_the_link(path: Path) -> None:
    """Others say where a page switch goes, which is a keyword, not a string or an attribute."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    assert path.stem == "link" or "query_params" not in attributes
    assert path.stem == "bound" or "bind" not in keywords


@pytest.mark.parametrize("path", _modules("ui/figures"), ids=lambda p: p.stem)
def test_figures_know_no_streamlit(path: Path) -> None:
    assert not {name for name in _imports(path) if name.startswith("streamlit")}


@pytest.mark.parametrize("path", _modules("pages"), ids=lambda p: p.stem)
def test_every_page_begins_with_the_guard(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    first = [ast.unparse(node) for node in body[1:3]]
    assert first == ["from ui.header.navigation import guard", "guard()"]


def test_every_page_is_in_the_list() -> None:
    from ui.header.navigation import VIEWS

    assert {view.file for view in VIEWS} == {path.stem for path in _modules("pages")}


def test_the_theme_can_be_read() -> None:
    """Streamlit only logs a broken file, and goes on in its own colors."""
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    assert {"light", "dark"} <= config["theme"].keys()


@pytest.mark.parametrize("path", _modules("ui") + _modules("pages"), ids=lambda p: p.stem)
def test_what_an_error_quotes_is_shown_as_text(path: Path) -> None:
    """It may come out of a link or a file: `ui.show.error_box`, or `ui.text.literal`."""
    assert not re.search(r"\.(error|warning|info|toast)\((str\()?error\b", path.read_text())


def _session_keys(path: Path) -> set[str]:
    """The keys of session state that a module declares or spells out."""
    tree = ast.parse(path.read_text())
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    spelled = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "st.session_state":
            spelled.append(node.slice)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.removeprefix("st.session_state.") in ("get", "pop", "setdefault"):
                spelled += node.args[:1] if called.startswith("st.session_state.") else []
            if called.startswith("bound."):
                spelled += [keyword.value for keyword in node.keywords if keyword.arg == "key"]
    named = {constants.get(node.id) for node in spelled if isinstance(node, ast.Name)}
    literal = {node.value for node in spelled if isinstance(node, ast.Constant)}
    return {key for key in named | literal if isinstance(key, str)}


def test_a_session_key_has_one_owner() -> None:
    owners: dict[str, list[str]] = {}
    for path in _modules("ui"):
        for key in _session_keys(path):
            owners.setdefault(key, []).append(path.relative_to(ROOT).as_posix())
    assert len(owners) > 100
    assert {key: found for key, found in owners.items() if len(found) > 1} == {}
