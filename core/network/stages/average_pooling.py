"""Average pooling: of windows, and of whole maps."""

from typing import Any

from core.arrays import Tensor
from core.later import keras, tf
from core.network.stages.roles import Ending, Pooling
from core.network.stages.stage import Step, with_gradient


class AveragePooling(Pooling):
    """The mean of each window."""

    kind, title, key, label = "AveragePooling2D", "average pooling", "average", "Average"

    @staticmethod
    def built(name: str, window: int) -> Any:
        """A new Keras layer."""
        return keras.layers.AveragePooling2D(window, name=name)

    def forward(self) -> Step:
        """As of every stage."""
        return self.shrink

    def shrink(self, maps: Tensor) -> Tensor:
        """As of all that shrinks."""
        return _average(maps, self.window[0])


class GlobalAverage(Ending):
    """The mean of each map: Lin et al. (2013), arXiv:1312.4400."""

    kind, title, key = "GlobalAveragePooling2D", "global average pooling", "average"
    label = "Average"
    decisive = ()
    drawn = pools = True

    @staticmethod
    def built() -> Any:
        """A new Keras layer."""
        return keras.layers.GlobalAveragePooling2D(name="average")

    @staticmethod
    def units(side: int, channels: int) -> int:
        """Numbers that it makes of maps."""
        return channels

    def forward(self) -> Step:
        """As of every stage."""
        return self.shrink

    def shrink(self, maps: Tensor) -> Tensor:
        """As of all that shrinks."""
        return tf.reduce_mean(maps, [1, 2])


def _average(maps: Tensor, window: int) -> Tensor:
    """Maps [n, h, w, c] averaged without overlap; what is left over at the border is cut."""
    height, width = maps.shape[1:3]
    rest = [[0, 0], [0, height % window], [0, width % window], [0, 0]]

    def spread(rise: Tensor) -> Tensor:
        rows, columns, channels = rise.shape[1:]
        each = rise[:, :, None, :, None] / window**2
        wide = tf.broadcast_to(each, [tf.shape(rise)[0], rows, window, columns, window, channels])
        return tf.pad(tf.reshape(wide, [-1, rows * window, columns * window, channels]), rest)

    return with_gradient(lambda x: tf.nn.avg_pool2d(x, window, window, "VALID"), spread)(maps)
