"""What the networks answer, and where they look."""

import functools
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.results.tree import here, picked, test_images

SHIPPED = ("model-1", "model-2", "robust", "certified")


def _logits() -> Any:
    images, _ = test_images(300)
    return {name: here.load_once(name).logits(images) for name in SHIPPED}


def _feature_maps() -> Any:
    model, (images, _) = here.load_once("model-2"), test_images(8)
    return {
        stage: here.feature_maps(model, images, layer)
        for each in here.convolutions(model.model)
        for stage, layer in [(f"{each.name}, {s}", name) for s, name in each.stages.items()]
    }


def _receptive_fields() -> Any:
    found = {}
    for name in SHIPPED:
        model = here.load_once(name).model
        for each in here.convolutions(model):
            found[name, each.name] = {
                "rows": here.seen_rows(model, each.after),
                "kernels": here.kernels(model, each.name),
                **picked(here.channel_arithmetic(model, each), "bias scale shift"),
            }
    return found


def _switched_off() -> Any:
    model, (images, _) = here.load_once("model-2"), test_images(50)
    factors = {"conv1": np.linspace(0, 2, 32), "conv2": np.arange(32) % 2}
    edited = here.edited_classifier(model, factors, name="edited")
    return here.scale_channels(model, images, factors), edited.logits(images)


def _occlusion() -> Any:
    model, (images, labels) = here.load_once("model-1"), test_images(4)
    coarse = here.occlude(model, images, labels, block=12, stride=4)
    fine = here.occlude(model, images[:1], labels[:1], block=4, stride=1, fill=0.5)
    mean = coarse.per_pixel_mean(coarse.probability_drop)
    return [picked(each, "tops logits clean_logits logit_drop") for each in (coarse, fine)], mean


def _attribution(method: str) -> Any:
    images, labels = test_images(8)
    return [
        picked(getattr(here, method)(here.load_once(name), images, labels), "values")
        for name in ("model-1", "robust")
    ]


def _deletion_and_insertion() -> Any:
    model, (images, labels) = here.load_once("model-1"), test_images(8)
    maps = here.gradient(model, images, labels).values
    return picked(here.fidelity(model, images, labels, maps), "shares deletion insertion score")


def _class_images() -> Any:
    model, settings = here.load_once("model-1"), here.ImageSettings(iterations=40, variation=0.1)
    moved = replace(settings, jitter=2, blur=0.5, seed=3)
    tracks = [
        here.maximize_logit(model, np.arange(10), settings, keep_every=10),
        here.maximize_logit(model, np.arange(10), moved, keep_every=10),
        here.maximize_channel(model, "conv2", np.arange(4), settings, keep_every=10),
    ]
    return [picked(each, "images steps logits terms") for each in tracks]


RESULTS = {
    "Logits of the shipped models": _logits,
    "Feature maps": _feature_maps,
    "Receptive fields and arithmetic": _receptive_fields,
    "Channels switched off": _switched_off,
    "Occlusion": _occlusion,
    "Gradient": functools.partial(_attribution, "gradient"),
    "Gradient × input": functools.partial(_attribution, "gradient_times_input"),
    "Integrated gradients": functools.partial(_attribution, "integrated_gradients"),
    "SmoothGrad": functools.partial(_attribution, "smooth_grad"),
    "Grad-CAM": functools.partial(_attribution, "grad_cam"),
    "Deletion and insertion": _deletion_and_insertion,
    "Class and channel images": _class_images,
}
