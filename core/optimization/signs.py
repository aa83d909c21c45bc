"""In graphs: the plainest ascent there is, along the signs of a slope inside a box."""

from collections.abc import Callable

from core.arrays import Tensor
from core.backend import tf


def along_signs(
    slope: Callable[[Tensor], Tensor],
    begin: Tensor,
    size: Tensor,
    box: tuple[Tensor, Tensor],
    steps: Tensor,
) -> Tensor:
    """In graphs: images [n, h, w, c] after `steps` steps of `size` along the signs of `slope`.

    box: their lowest and highest values, to which each step is clipped; it goes on from `begin`.
    """
    _, x = tf.while_loop(
        lambda step, _: step < steps,
        lambda step, x: (step + 1, tf.clip_by_value(x + size * tf.sign(slope(x)), *box)),
        (tf.constant(0), begin),
    )
    return x
