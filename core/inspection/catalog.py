"""Every attribution with its settings, in one place: the page, its study and its file read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.arrays import FloatArray, IntArray
from core.catalog import Dial, Entry, Value
from core.data.fills import FILLS
from core.inspection.attribution import (
    Attribution,
    grad_cam,
    gradient,
    gradient_times_input,
    integrated_gradients,
    smooth_grad,
)
from core.network.classifier import Classifier

QUANTILE = 0.99
INTEGRATED = "Integrated gradients"


@dataclass(frozen=True, eq=False, kw_only=True)
class Method(Entry):
    """An attribution of the catalog; see `Entry`.

    unit: of its values; maps of one unit share one scale. scale_at: settings under which the end
    of that scale is measured. keys: of its settings in links and files. says: the sentence under a
    map, with its settings and {sum}, {rise}, {gap}, {layer} and {label} in place; blank: the
    sentence where all values are 0.
    """

    unit: str
    says: str
    blank: str = "Blank: every value is 0."
    keys: Mapping[str, str] = field(default_factory=dict)
    scale_at: Mapping[str, Value] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The map in files."""
        return str(self.run.__name__)

    def key_of(self, setting: str) -> str:
        """A setting of this method in links and files."""
        return self.keys.get(setting, f"{self.key}_{setting}")

    def own(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        """This method's of the settings of all, which go by their keys."""
        return {name: settings[self.key_of(name)] for name in self.defaults()}

    def __call__(
        self,
        classifier: Classifier,
        images: FloatArray,
        classes: IntArray,
        settings: Mapping[str, Value] | None = None,
    ) -> Attribution:
        """The maps with `settings`, by the names of the signature, in place of the defaults."""
        found: Attribution = self.run(classifier, images, classes, **(settings or {}))
        return found


METHODS = {
    each.name: each
    for each in (
        Method(
            name="Gradient",
            run=gradient,
            summary="By how much the logit rises per unit of a pixel, at this image.",
            purpose="For what a small change of a pixel would do.",
            source="Simonyan et al. (2013), arXiv:1312.6034",
            looks=lambda: 1,
            unit="logit per pixel value",
            says="The slope at this image, where pixels are 0 as well.",
        ),
        Method(
            name="Gradient × input",
            run=gradient_times_input,
            summary="The slope times the pixel.",
            purpose="For what a pixel would add if the logit were linear.",
            source="Shrikumar et al. (2017), arXiv:1704.02685",
            looks=lambda: 1,
            unit="logit",
            says="Slope × pixel. Sums to {sum}, which promises nothing.",
        ),
        Method(
            name=INTEGRATED,
            run=integrated_gradients,
            summary="The mean slope on the straight path from a baseline, times the path.",
            purpose="For shares that sum to what the logit gains over the baseline.",
            source="Sundararajan et al. (2017), arXiv:1703.01365",
            dials={
                "baseline": Dial(
                    "Baseline",
                    choices=FILLS,
                    help="Where integrated gradients begin: 0, 0.5, the mean training image, this "
                    "image blurred by 3 pixels, or uniform noise.",
                    free=True,
                ),
                "steps": Dial("Steps from baseline to image", 4, 256, 4),
            },
            looks=lambda steps: steps,
            unit="logit",
            says="Sums to {sum}; the logit changes by {rise}. Completeness gap **{gap}** with "
            "{steps} steps.",
            keys={"baseline": "baseline", "steps": "ig_steps"},
            scale_at={"steps": 32},
        ),
        Method(
            name="SmoothGrad",
            run=smooth_grad,
            summary="The mean slope at noisy copies of the image.",
            purpose="For a gradient that does not flicker from image to image.",
            source="Smilkov et al. (2017), arXiv:1706.03825",
            dials={
                "noise": Dial(
                    "Noise of SmoothGrad",
                    0.0,
                    0.5,
                    0.01,
                    help="Standard deviation, where a full pixel is 1.",
                    free=True,
                ),
                "samples": Dial("Samples of SmoothGrad", 1, 200, 1),
            },
            looks=lambda samples: samples,
            unit="logit per pixel value",
            says="Mean of the signed gradients of {samples} copies with noise {noise:.2f}: not of "
            "their sizes.",
            keys={"noise": "sg_noise", "samples": "sg_samples"},
            scale_at={"samples": 25},
        ),
        Method(
            name="Grad-CAM",
            run=grad_cam,
            summary="The last convolution's maps, each weighted by its mean gradient.",
            purpose="For the region that speaks for the class, coarsely.",
            source="Selvaraju et al. (2016), arXiv:1610.02391",
            dials={
                "signed": Dial(
                    "Grad-CAM with its sign",
                    choices=("only what is positive is kept", "both signs are kept"),
                    help="Off, as published: only what speaks for the class is kept.",
                    free=True,
                )
            },
            looks=lambda: 1,
            unit="weighted activation",
            says="Maps of {layer}, weighted by their mean gradient; {signed}.",
            blank="Blank: the weighted maps of {layer} are nowhere positive for {label}; {signed}.",
            keys={"signed": "signed_cam"},
        ),
    )
}


def values_of(
    name: str,
    own: Mapping[str, Value],
    classifier: Classifier,
    images: FloatArray,
    classes: IntArray,
) -> FloatArray:
    """The values of the map called `name` with its own settings, as a function that can be sent."""
    return METHODS[name](classifier, images, classes, own).values


def scale_end(unit: str, classifier: Classifier, images: FloatArray) -> float:
    """Where the scale of a unit ends: the 99th percentile of |value|, in two digits, above 0.

    Over the maps of all methods of the unit for the predicted classes of images float32 [n, h,
    w, c] in [0, 1], of none 1e-6: the same for every image that is shown.
    """
    classes = classifier.predict(images)
    largest = 1e-6
    for method in METHODS.values():
        if method.unit == unit and len(images):
            values = np.abs(method(classifier, images, classes, method.scale_at).values)
            largest = max(largest, float(np.quantile(values, QUANTILE)))
    return float(f"{largest:.2g}")
