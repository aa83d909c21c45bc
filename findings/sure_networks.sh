#!/usr/bin/env bash
# FGSM grows weaker as a network grows surer, in the public libraries that offer it.
#
# Library versions: foolbox 3.3.4, adversarial-robustness-toolbox 1.20.1, cleverhans 4.0.0, all on
#   tensorflow-cpu 2.21.0 (Keras 3.15.1), with scikit-learn 1.9.1's own 8 × 8 digits. Python 3.11.
# Behavior: multiplying all logits by 10 or 100 changes no answer of a network. Yet fewer images fall
#   to FGSM, at ×100 next to none, and even at ×1 fewer than could. In float32 the gradient of the
#   cross-entropy to the logits is p − 1 for the true class, which is rounded to exactly 0 as soon as
#   p rounds to 1: beyond a lead of some 17 there is no gradient left, its sign is 0, and the image is
#   returned as it came, counted as one that stands.
# What is right: the cross-entropy is log(1 + exp(S)) with S = log Σ exp(zⱼ) − z_y over j ≠ y, and rises
#   along the gradient of S, which does not vanish. One step along it, in NumPy's float64, takes as
#   many images whatever the factor, but for a few whose nearest other class has a close second.
# Output seen:
#   foolbox        logits × 1: 257   logits × 10: 84   logits × 100: 4
#   art            logits × 1: 257   logits × 10: 82   logits × 100: 4
#   cleverhans     logits × 1: 257   logits × 10: 84   logits × 100: 4
#   in_float64     logits × 1: 371   logits × 10: 374   logits × 100: 374
#
# It installs these packages in a temporary folder, trains a logistic regression, attacks 500 digits
# that it was not trained on, prints the counts, and fails if they are no longer as described.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
install() { "$folder/venv/bin/pip" install --quiet "$@"; }
install tensorflow-cpu==2.21.0 keras==3.15.1 scikit-learn==1.9.1 tf-keras==2.21.0
install --no-deps foolbox==3.3.4 eagerpy==0.30.0 GitPython==3.1.45 gitdb==4.0.12 smmap==5.0.2
install --no-deps adversarial-robustness-toolbox==1.20.1 tqdm==4.67.1
install --no-deps cleverhans==4.0.0 easydict==1.13 tensorflow-probability==0.25.0
install decorator==5.2.1 dm-tree==0.1.9 cloudpickle==3.1.1
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - <<'PYTHON'
import numpy as np
import tensorflow as tf
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import foolbox
from art.attacks.evasion import FastGradientMethod
from art.estimators.classification import TensorFlowV2Classifier
from cleverhans.tf2.attacks.fast_gradient_method import fast_gradient_method

EPSILON, FACTORS = 0.15, (1, 10, 100)
pixels, labels = load_digits(return_X_y=True)
pixels = (pixels / 16).astype(np.float32)
regression = LogisticRegression(C=1000, max_iter=5000).fit(pixels[500:], labels[500:])
kernel, bias = regression.coef_.T.astype(np.float32), regression.intercept_.astype(np.float32)
images, labels = pixels[:500], labels[:500]
right = np.argmax(images @ kernel + bias, axis=1) == labels
images, labels = images[right], labels[right]


def network(factor):
    dense = tf.keras.layers.Dense(10)
    model = tf.keras.Sequential([tf.keras.Input((64,)), dense])
    dense.set_weights([factor * kernel, factor * bias])
    return model


def with_foolbox(model):
    model = foolbox.TensorFlowModel(model, bounds=(0, 1))
    attack = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    return attack(model, tf.constant(images), tf.constant(labels), epsilons=EPSILON)[1].numpy()


def with_art(model):
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier = TensorFlowV2Classifier(
        model=model, nb_classes=10, input_shape=(64,), loss_object=loss, clip_values=(0, 1)
    )
    return FastGradientMethod(classifier, norm=np.inf, eps=EPSILON).generate(images, labels)


def with_cleverhans(model):
    return fast_gradient_method(
        model, images, EPSILON, np.inf, clip_min=0.0, clip_max=1.0, y=labels
    ).numpy()


def in_float64(model):
    weights, bias = (each.astype(np.float64) for each in model.get_weights())
    others = images @ weights + bias
    others[np.arange(len(labels)), labels] = -np.inf
    gradient = softmax(others, axis=1) @ weights.T - weights.T[labels]
    return np.clip(images + EPSILON * np.sign(gradient), 0, 1).astype(np.float32)


def fallen(attack, factor):
    model = network(factor)
    return int((np.argmax(model.predict(attack(model), verbose=0), axis=1) != labels).sum())


print(f"FGSM, L∞ ε = {EPSILON}: how many of {len(images)} digits that were read right fall")
counts = {}
for attack in (with_foolbox, with_art, with_cleverhans, in_float64):
    name = attack.__name__.replace("with_", "")
    counts[name] = [fallen(attack, factor) for factor in FACTORS]
    row = "".join(f"   logits × {f}: {n}" for f, n in zip(FACTORS, counts[name]))
    print(f"  {name:12s}{row}")
exact = counts.pop("in_float64")
assert max(exact) - min(exact) <= 0.02 * len(images), "the exact step depends on the factor"
for name, (plain, _, hundred) in counts.items():
    assert hundred < 0.2 * plain, f"{name} keeps its strength on a sure network now"
    assert plain < 0.9 * exact[0], f"{name} is as strong as the exact step now"
print("As described.")
PYTHON
