"""One step of an optimizer, in graphs, with TensorFlow's fused kernels."""

import math
from typing import Any

from core.arrays import Tensor
from core.backend import tf

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7  # Kingma & Ba 2014, arXiv:1412.6980; ε as in Keras
_MOMENTUM = 0.9
_RHO = 0.9
_LARGE = 100_000  # numbers of a variable whose update takes as long as a layer

_Group = list[tuple[Tensor, Tensor, Tensor, Tensor]]  # variable, gradient, both slots


def update(
    variables: list[Tensor],
    gradients: list[Tensor],
    slots: list[Tensor],
    *,
    step: Tensor,
    optimizer: Tensor,
    learning_rate: Tensor,
    decay: Tensor,
) -> None:
    """Change every variable by its gradient; optimizer int []: its place in `OPTIMIZERS`.

    slots: two for each variable. Adam: both moments. RMSprop: mean square, unused. Momentum:
    velocity, unused. step: how many were done before.
    """
    time = tf.cast(step + 1, tf.float32)
    moments = {
        "beta1_power": _BETA_1**time,
        "beta2_power": _BETA_2**time,
        "beta1": _BETA_1,
        "beta2": _BETA_2,
        "epsilon": _EPSILON,
    }

    def each(group: _Group, apply: Any, decoupled: bool = False) -> Any:
        def branch() -> Any:
            for variable, gradient, first, second in group:
                if len(variable.shape) > 1:  # kernels decay; biases, scales and offsets do not
                    gradient = _decay(variable, gradient, learning_rate, decay, decoupled)
                apply(variable.handle, gradient, first.handle, second.handle)
            return tf.constant(0)

        return branch

    def adam(variable: Tensor, gradient: Tensor, m: Tensor, v: Tensor) -> None:
        tf.raw_ops.ResourceApplyAdam(
            var=variable, m=m, v=v, lr=learning_rate, grad=gradient, **moments
        )

    def sgd(variable: Tensor, gradient: Tensor, velocity: Tensor, _: Tensor) -> None:
        tf.raw_ops.ResourceApplyMomentum(
            var=variable, accum=velocity, lr=learning_rate, grad=gradient, momentum=_MOMENTUM
        )

    def rmsprop(variable: Tensor, gradient: Tensor, mean_square: Tensor, momentum: Tensor) -> None:
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable, ms=mean_square, mom=momentum, lr=learning_rate, grad=gradient,
            rho=_RHO, momentum=0.0, epsilon=_EPSILON,
        )  # fmt: skip

    for group in _groups(list(zip(variables, gradients, slots[::2], slots[1::2], strict=True))):
        tf.switch_case(
            optimizer,
            [each(group, adam), each(group, adam, decoupled=True), each(group, sgd),
             each(group, rmsprop)],
        )  # fmt: skip


def _groups(rows: _Group) -> list[_Group]:
    """Large variables each alone, so that none waits for the gradients of the others."""
    large = [[row] for row in rows if math.prod(row[0].shape) >= _LARGE]
    small = [row for row in rows if math.prod(row[0].shape) < _LARGE]
    return [*large, small] if small else large


def _decay(
    variable: Tensor, gradient: Tensor, learning_rate: Tensor, decay: Tensor, decoupled: bool
) -> Tensor:
    """Weight decay: as an L2 penalty in the gradient, or apart from it (arXiv:1711.05101)."""
    if decoupled:
        variable.assign_sub(learning_rate * decay * variable)
        return gradient
    return tf.cond(decay > 0, lambda: gradient + decay * variable, lambda: gradient)
