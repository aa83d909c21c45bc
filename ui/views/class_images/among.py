"""Beside each made image the nine real ones that excite the same most, and where it lies."""

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.attacks.universal_noise import shuffled
from core.inspection.class_images import ImageSettings
from core.inspection.responses import ChannelStanding, most_exciting, standing
from core.network.classifier import Classifier
from ui import text, theme
from ui.controls.whole_set import outcome
from ui.figures import class_charts, tiles
from ui.show import draw, picture
from ui.views.class_images.made import ImagesMade, real_answers, real_values
from ui.views.class_images.wanted import CHANNEL, CLASS, ImagesAsked, Wanted
from ui.visitor.images import ChosenImage

DRAWS = 20
_FAR = 1.5
_SMALL, _LARGE = 84, 168


def show(classifier: Classifier, asked: ImagesAsked, found: ImagesMade) -> None:
    """Finding, pictures, and a chart with the control."""
    wanted, settings = asked.wanted, asked.settings
    if (answers := outcome(real_answers(classifier, wanted))) is None:
        return
    real = real_values(wanted, answers)
    places = [
        standing(float(value), real[number], minimize=settings.minimize)
        for number, value in zip(wanted.numbers, found.values, strict=True)
    ]
    st.markdown(_finding(wanted, places, settings))
    if len(places) == 1:
        _one(asked, found, places[0], real[wanted.numbers[0]])
    else:
        with st.grid(min_column_width=_SMALL, gap="small"):
            for index, place in enumerate(places):
                with st.container(gap="xxsmall"):
                    _pictures(asked, found, index, real[wanted.numbers[index]], _SMALL)
                    st.caption(_numbers(asked, found, index, place))
    _chart(classifier, wanted, found, real)


def _finding(wanted: Wanted, places: list[ChannelStanding], settings: ImageSettings) -> str:
    total = places[0].less.total
    beyond = [place for place in places if place.less.successes == total]
    more = "less" if settings.minimize else "more"
    if len(places) > 1:
        finding = (
            f"{len(beyond)} of {len(places)} excite their class {more} than any real image does"
        )
    elif beyond:
        place = places[0]
        far = "far " if place.beyond >= _FAR else ""
        side = "below" if settings.minimize else "above"
        finding = f"It lies {far}{side} any real image, {_times(place)}"
    else:
        finding = f"It excites {more} than {text.full_rate(places[0].less)} real images"
    return f"**{finding}** :gray[· among all {total:,} test images; {wanted.quantity}]"


def _times(place: ChannelStanding) -> str:
    if not np.isfinite(place.beyond):
        return "which all give the same value"
    return f"{place.beyond:.1f} × as far from their median as the nearest of them"


def _one(asked: ImagesAsked, found: ImagesMade, place: ChannelStanding, real: FloatArray) -> None:
    """A single image: its pictures side by side, larger."""
    with st.container(horizontal=True, vertical_alignment="center"):
        nearest = _pictures(asked, found, 0, real, _LARGE)
        with st.container(width=260):
            st.caption(_numbers(asked, found, 0, place))
            side = "least" if asked.settings.minimize else "most"
            st.caption(f"Nine test images, the {side} excited first: {text.literal(nearest)}.")


def _pictures(
    asked: ImagesAsked, found: ImagesMade, index: int, real: FloatArray, width: int
) -> str:
    """The made image and the nine real ones, which are also returned in words."""
    palette, title = theme.palette(), asked.wanted.title(asked.wanted.numbers[index])
    nearest = most_exciting(real, minimize=asked.settings.minimize)
    shown = [ChosenImage(int(number), spec=asked.wanted.spec) for number in nearest]
    told = ", ".join(f"{each.number} ({each.kind})" for each in shown)
    pixels = tiles.colored(np.concatenate([each.floats for each in shown]), palette)
    scale = tiles.scale_of(width, 3 * asked.wanted.spec.side)
    nine = tiles.mosaic(pixels, palette, columns=3, scale=scale, gap=0)
    made = tiles.image(found.images[index], width, palette)
    picture(made, width=width, alt=f"{title}: the made image")
    picture(nine, width=width, alt=f"{title}: test images {told}")
    return told


def _numbers(asked: ImagesAsked, found: ImagesMade, index: int, place: ChannelStanding) -> str:
    wanted = asked.wanted
    digits = 1 if wanted.kind == CLASS else 2
    bound = "≥" if asked.settings.minimize else "≤"
    return (
        f"**{text.literal(wanted.title(wanted.numbers[index]))}**  \n"
        f"{wanted.quantity} {text.number(place.value, digits)}  \n"
        f"{wanted.measure} {found.pixel_sum[index]:.0f}  \n"
        f"{_where(place, asked.settings)}  \nreal {bound} {text.number(place.extreme, digits)}"
    )


def _where(place: ChannelStanding, settings: ImageSettings) -> str:
    side = "below" if settings.minimize else "above"
    if place.less.successes == place.less.total:
        return f"{side} all"
    return f"{side} {text.percent(place.less)}"


def _chart(
    classifier: Classifier, wanted: Wanted, found: ImagesMade, real: dict[int, FloatArray]
) -> None:
    rows = [
        class_charts.ClassRow(
            wanted.title(number) if len(real) > 1 else wanted.quantity,
            float(found.values[index]),
            float(_values(classifier, wanted, number, reordered(found.images[[index]])).mean()),
            real[number],
        )
        for index, number in enumerate(wanted.numbers)
    ]
    chart = class_charts.among_real(rows, theme.palette(), x_title=wanted.quantity)
    draw(chart, key="img-among", alt="The made images among the test images")
    st.caption(
        f"Gray: all {wanted.spec.test_images:,} test images, the middle 90 % as a bar, their "
        "median as a tick. Orange "
        f"dot: the made image. Ring: its pixels in random order, the mean of {DRAWS} draws."
    )


def reordered(image: FloatArray) -> FloatArray:
    """The pixels of an image [1, …] in random orders: float32 [DRAWS, …]."""
    return shuffled(image, image.repeat(DRAWS, axis=0), draws=DRAWS)


def _values(classifier: Classifier, wanted: Wanted, number: int, images: FloatArray) -> FloatArray:
    """What other images excite."""
    if wanted.layer is None:
        return classifier.logits(images)[:, number]
    output = classifier.activations(images, wanted.layer.name)
    if wanted.kind == CHANNEL:
        return output[..., number].mean(axis=(1, 2))
    return output.reshape(len(images), -1)[:, number]
