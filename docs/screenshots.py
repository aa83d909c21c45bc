"""Make the README's pictures: `python -m docs.screenshots`. Needs Chromium."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.conftest import Visitor
from tests.browser.server import Server

FOLDER = Path(__file__).parent
_SHOTS = {
    "overview": ("/", "light"),
    "predictions": ("/predictions?show=Mistakes&order=Hardest+first&image=8", "light"),
    "predictions-dark": ("/predictions?show=Mistakes&order=Hardest+first&image=8", "dark"),
    "layers": ("/layers", "light"),
    "feature_maps": ("/feature_maps?image=7", "light"),
    "occlusion": ("/occlusion?image=7&block=6&stride=2", "light"),
    "adversarial": ("/adversarial?view=Toward+a+source", "light"),
    "standard_attacks": ("/adversarial?view=Standard+attacks&image=7", "light"),
    "smallest": ("/adversarial?view=Smallest+perturbation&image=7", "light"),
    "one_noise": (
        "/one_noise?image=3&one_images=10&one_from=All+classes&one_scale=1.5",
        "light",
    ),
    "attribution": ("/attribution?image=7", "light"),
    "filters": ("/defenses?defense_view=Filters&filters=threshold-0.5&image=7", "light"),
    "generative": ("/defenses?defense_view=Generative&image=7", "light"),
    "certified": ("/defenses?defense_view=Certified&model=certified&image=7", "light"),
    "robust_models": ("/defenses?defense_view=Robust+models", "light"),
    "class_images": ("/class_images?img_l2=0.03&img_tv=0.05&img_jitter=2&img_blur=0.3", "light"),
}
_JOBS = {  # link, and the keys of the button that starts it and of what is there once it is done
    "scoreboard": (
        "/adversarial?view=Scoreboard&score_images=200&score_epsilon=0.12",
        "score-start",
        "score-npz",
    ),
    "defenses": ("/defenses", "grid-start", "grid-csv"),
    "detection": ("/defenses?defense_view=Detection", "detection-measure", "detect-table"),
    "accuracy_epsilon": ("/defenses?defense_view=Accuracy+against+ε", "curve-start", "curve-csv"),
    "masking": ("/defenses?defense_view=Is+it+masked%3F&model=robust", "mask-start", "mask-npz"),
}


def main() -> None:
    """Overwrite every picture."""
    path = find_chromium()
    if path is None:
        sys.exit(MISSING)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "log.txt") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        for name, (link, scheme) in _SHOTS.items():
            _shoot(_visitor(browser, server, scheme), name, link)
        _shoot_own_digit(_visitor(browser, server, "light"))
        for name, (link, start, done) in _JOBS.items():
            _shoot_job(_visitor(browser, server, "light"), name, link, start, done)
        _shoot_training(_visitor(browser, server, "light"))
        browser.close()


def _visitor(browser: Browser, server: Server, scheme: str) -> Visitor:
    page = browser.new_page(
        viewport={"width": 1440, "height": 1000},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    return Visitor(page, server.url)


def _shoot(person: Visitor, name: str, link: str) -> None:
    person.open(link)
    person.page.wait_for_timeout(1_500)
    person.page.screenshot(path=FOLDER / f"{name}.png")
    person.page.close()


def _shoot_own_digit(person: Visitor) -> None:
    """A 7, drawn with the mouse away from the middle."""
    page = person.page
    person.open("/")
    page.get_by_role("button", name="Draw a digit").first.click()
    pad = page.locator("canvas.paper")
    pad.wait_for()
    person.settle()
    box = pad.bounding_box()
    assert box is not None
    for stroke in (((0.15, 0.15), (0.45, 0.15), (0.3, 0.6)), ((0.2, 0.38), (0.42, 0.38))):
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=8)
        page.mouse.up()
    page.get_by_text("reads 7").wait_for()
    page.wait_for_timeout(1_000)
    page.screenshot(path=FOLDER / "own-digit.png")
    page.close()


def _shoot_job(person: Visitor, name: str, link: str, start: str, done: str) -> None:
    """What a job has measured, once its download is there. start, done: keys of the buttons."""
    page = person.page
    person.open(link)
    page.locator(f".st-key-{start} button >> visible=true").first.click()
    page.locator(f".st-key-{done}").first.wait_for(timeout=600_000)
    person.settle()
    page.set_viewport_size({"width": 1440, "height": 1500})
    page.wait_for_timeout(2_000)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


def _shoot_training(person: Visitor) -> None:
    """Two real runs over each other: Model 1 stopped, Model 2 still learning."""
    page = person.page
    person.open("/training")
    person.press("train")
    person.wait_for_step(900, timeout=300_000)
    person.press("stop")
    page.locator(".st-key-stop").wait_for(state="detached")
    page.locator(".st-key-settings").get_by_text("Model 2", exact=True).click()
    person.settle()
    person.press("train")
    page.get_by_text("Run 2 · Model 2").first.wait_for()
    page.wait_for_timeout(3_000)
    person.wait_for_step(700, timeout=300_000)
    page.set_viewport_size({"width": 1440, "height": 1900})
    page.wait_for_timeout(3_000)
    page.screenshot(path=FOLDER / "training.png")
    person.press("stop")
    page.close()


if __name__ == "__main__":
    main()
