"""Make the README's pictures, or those that are named: `python -m docs.screenshots [name …]`.

Needs Chromium.
"""

import io
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from core.data import load_mnist
from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.conftest import Visitor
from tests.browser.server import Server

FOLDER = Path(__file__).parent
_SHOTS = {
    "overview": "/",
    "predictions": "/predictions?show=Mistakes&order=Hardest+first&image=8",
    "predictions-dark": "/predictions?show=Mistakes&order=Hardest+first&image=8",
    "layers": "/layers",
    "feature_maps": "/feature_maps?image=7",
    "occlusion": "/occlusion?image=7&block=6&stride=2",
    "adversarial": "/adversarial?view=Toward+a+source",
    "standard_attacks": "/adversarial?view=Standard+attacks&image=7",
    "smallest": "/adversarial?view=Smallest+perturbation&image=7",
    "one_noise": "/one_noise?image=3&one_images=10&one_from=All+classes&one_scale=1.5",
    "attribution": "/attribution?image=7",
    "filters": "/defenses?defense_view=Filters&filters=threshold-0.5&image=7",
    "generative": "/defenses?defense_view=Generative&image=7",
    "certified": "/defenses?defense_view=Certified&model=certified&image=7",
    "robust_models": "/defenses?defense_view=Robust+models",
    "class_images": "/class_images?img_l2=0.03&img_tv=0.05&img_jitter=2&img_blur=0.3",
}
_JOBS = {  # link, and key of the button that starts the job
    "scoreboard": (
        "/adversarial?view=Scoreboard&score_images=200&score_epsilon=0.12",
        "score-start",
    ),
    "defenses": ("/defenses", "grid-start"),
    "detection": ("/defenses?defense_view=Detection", "detection-measure"),
    "accuracy_epsilon": ("/defenses?defense_view=Accuracy+against+ε", "curve-start"),
    "masking": ("/defenses?defense_view=Is+it+masked%3F&model=robust&mask_images=50", "mask-start"),
}


def main() -> None:
    """Overwrite every picture, or those that are named."""
    path = find_chromium()
    if path is None:
        sys.exit(MISSING)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "log.txt") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        for name, shoot in _shots().items():
            if name in sys.argv[1:] or not sys.argv[1:]:
                scheme = "dark" if name.endswith("-dark") else "light"
                shoot(_visitor(browser, server, scheme))
        browser.close()


def _shots() -> dict[str, Callable[[Visitor], None]]:
    """How each picture is taken, by its name."""
    return {
        **{name: partial(_shoot, name=name, link=link) for name, link in _SHOTS.items()},
        **{name: partial(_shoot_job, name=name, job=job) for name, job in _JOBS.items()},
        "data": _shoot_data,
        "own-digit": _shoot_own_digit,
        "training": _shoot_training,
    }


def _visitor(browser: Browser, server: Server, scheme: str) -> Visitor:
    page = browser.new_page(
        viewport={"width": 1440, "height": 1000},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    person = Visitor(page, server)
    page.set_default_timeout(300_000)
    return person


def _shoot(person: Visitor, name: str, link: str) -> None:
    person.open(link)
    person.page.locator('[data-testid="stSkeleton"]').first.wait_for(state="detached")
    person.page.wait_for_timeout(2_500)
    person.page.screenshot(path=FOLDER / f"{name}.png")
    person.page.close()


def _shoot_data(person: Visitor) -> None:
    """MNIST's test images as a stranger might have them: transposed, normalized, labels one-hot."""
    page, test = person.page, load_mnist().test
    file = io.BytesIO()
    images = (test.images.transpose(0, 2, 1) / np.float32(255) - np.float32(0.1307)) / 0.3081
    np.savez(file, images=images.astype(np.float32), labels=np.eye(10)[test.labels])
    person.open("/data")
    page.locator('[data-testid="stFileUploaderDropzoneInput"]').set_input_files(
        {"name": "digits.npz", "mimeType": "application/zip", "buffer": file.getvalue()}
    )
    page.get_by_text("All sixteen ways").wait_for()
    person.settle()
    page.set_viewport_size({"width": 1440, "height": 1700})
    page.wait_for_timeout(2_500)
    page.screenshot(path=FOLDER / "data.png")
    page.close()


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


def _shoot_job(person: Visitor, name: str, job: tuple[str, str]) -> None:
    """What a job has measured, once it is done."""
    page, (link, start) = person.page, job
    person.open(link)
    page.locator(f".st-key-{start} button >> visible=true").first.click()
    at_work = page.locator(".st-key-job-panel")
    at_work.wait_for()
    at_work.wait_for(state="detached", timeout=900_000)
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
    person.wait_for_step(900)
    person.press("stop")
    page.locator(".st-key-stop").wait_for(state="detached")
    page.locator(".st-key-settings").get_by_text("Model 2", exact=True).click()
    person.settle()
    person.press("train")
    page.get_by_text("Run 2 · Model 2").first.wait_for()
    page.wait_for_timeout(3_000)
    person.wait_for_step(700)
    page.set_viewport_size({"width": 1440, "height": 1900})
    page.wait_for_timeout(3_000)
    page.screenshot(path=FOLDER / "training.png")
    person.press("stop")
    page.close()


if __name__ == "__main__":
    main()
