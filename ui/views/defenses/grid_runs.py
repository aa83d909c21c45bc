"""The grid of defenses and attacks that a visitor has started and keeps."""

from collections.abc import Callable
from dataclasses import dataclass

from core.defenses.defended import MAX_PARTS, DefendedClassifier, title_of
from core.jobs import Job
from core.network.classifier import Classifier
from core.statistics.paired import Paired, Verdict, judged, paired
from core.studies.grid import ADAPTIVE, STATIC, Budget, Grid, Row
from ui import text
from ui.views.defenses.parts import offered
from ui.visitor import compute, state
from ui.visitor.choice import bare_key, short_titles
from ui.visitor.kept_job import Kept, is_live, study_job

NORMS = {"linf": "L∞", "l2": "L2", "l0": "L0"}
NONE = "none"


@dataclass(frozen=True)
class GridAsked:
    """What the next grid is of: keys of parts and of models.

    model: the key of the network that is defended, with a chain if one was chosen in the header;
    source: the network that transfers come from; chained: whether all parts make a row, too.
    """

    model: str
    source: str
    parts: tuple[str, ...]
    others: tuple[str, ...]
    chained: bool
    images: int
    budget: Budget

    @property
    def bare(self) -> str:
        """The key of the network itself."""
        return bare_key(self.model)


@dataclass(frozen=True, eq=False)
class GridRun:
    """A grid, the job that fills it, and the names of the networks at that time."""

    asked: GridAsked
    grid: Grid
    job: Job
    model: str
    source: str

    @property
    def live(self) -> bool:
        """Whether cells are still to come."""
        return is_live(self.job)

    @property
    def ball(self) -> str:
        """“L∞ ε = 0.3” or “L0, 40 pixels”."""
        return ball_words(self.asked.budget)

    @property
    def measured_on(self) -> str:
        """Model, images and budget, for captions."""
        return (
            f"{text.literal(self.model)}, the first {self.asked.images:,} test images, {self.ball}"
        )


def ball_words(budget: Budget) -> str:
    """“L∞ ε = 0.3” or “L0, 40 pixels”."""
    if budget.norm == "l0":
        return f"L0, {budget.epsilon:g} pixels"
    return f"{NORMS[budget.norm]} ε = {budget.epsilon:g}"


KEPT: Kept[GridRun] = Kept("_grid")


def begin(asked: GridAsked) -> GridRun:
    """The grid that is asked for, and the job that fills it."""
    images, labels = compute.first_test_images(compute.spec(asked.model), asked.images)
    bare, source = compute.classifier(asked.bare), compute.classifier(asked.source)
    grid = Grid(bare, source, _rows(asked), images, labels, asked.budget)
    job = study_job(f"{len(grid.rows)} rows of defenses, {asked.images:,} images", grid.work)
    names = short_titles()
    return GridRun(asked, grid, job, names[asked.bare], names[asked.source])


def _rows(asked: GridAsked) -> tuple[Row, ...]:
    """No defense, each part, all of them in a row, the chosen chain, and the other networks."""
    titles = {part.key: part.title for part in offered(compute.spec(asked.model))}
    chains = {key: titles[key] for key in asked.parts}
    if asked.chained and len(asked.parts) > 1:
        several = asked.parts[:MAX_PARTS]
        chains["+".join(several)] = " + ".join(titles[key] for key in several)
    rows = [Row(NONE, "No defense", compute.classifier(asked.bare))]
    chosen = compute.classifier(asked.model)
    own = _own_chain(asked, chosen)
    for key, title in {**own, **chains}.items():
        rows.append(Row(key, title, compute.classifier(f"{asked.bare}{state.BEHIND}{key}")))
    names = short_titles()
    rows += [Row(key, names[key], compute.classifier(key)) for key in asked.others]
    return tuple(rows)


def _own_chain(asked: GridAsked, chosen: Classifier) -> dict[str, str]:
    if not isinstance(chosen, DefendedClassifier):
        return {}
    return {asked.model.partition(state.BEHIND)[2]: title_of(chosen.defense)}


def defenses(run: GridRun) -> list[Row]:
    """The rows that have a defense in front: neither the network alone nor other networks."""
    return [row for row in run.grid.rows if row.key not in (NONE, *run.asked.others)]


def beside_adaptive(run: GridRun) -> dict[tuple[str, str], Verdict]:
    """By row and column: what is right under an attack beside the adaptive one; one family."""
    return judged(_pairs(run, lambda row, _: (row, ADAPTIVE)))


def beside_none(run: GridRun) -> dict[tuple[str, str], Verdict]:
    """By row and column: what is right with a defense beside no defense; one family."""
    return judged(_pairs(run, lambda _, column: (NONE, column)))


def _pairs(
    run: GridRun, reference: Callable[[str, str], tuple[str, str]]
) -> dict[tuple[str, str], Paired]:
    """Every measured cell beside its reference, if that is another one and measured, too."""
    cells = run.grid.cells
    return {
        key: paired(cell.standing, cells[reference(*key)].standing)
        for key, cell in cells.items()
        if reference(*key) != key and reference(*key) in cells
    }


def largest_loss(run: GridRun) -> Row | None:
    """The defense that looks safer than it is by most; None before one has both measured."""
    found = beside_adaptive(run)
    measured = {
        row: found[row.key, STATIC].pair.difference
        for row in defenses(run)
        if (row.key, STATIC) in found
    }
    return max(measured, key=measured.__getitem__) if measured else None
