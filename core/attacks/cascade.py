"""What one attack leaves standing goes on to the next; the attempt that came closest is kept."""

import numpy as np

from core.arrays import BoolArray, FloatArray
from core.attacks.goals import Goal


class Cascade:
    """The images of a cascade between two of its attacks.

    found float32 [n, h, w, c]: of each image the attempt at the goal, or closest to it; standing
    int64: the rows that are not there yet. logits: of the images as they are.
    """

    def __init__(self, images: FloatArray, goal: Goal, logits: FloatArray) -> None:
        self._goal, self._closest = goal, goal.margin(logits)
        self.found = images.copy()
        self.standing = np.flatnonzero(~goal.reached(logits))

    @property
    def goal(self) -> Goal:
        """Of the images that stand."""
        return self._goal.take(self.standing)

    def take(self, attempt: FloatArray, logits: FloatArray) -> BoolArray:
        """Of the images that stood, one attempt each, and its logits: bool, which got there."""
        rows = self.standing
        reached, margin = self.goal.reached(logits), self.goal.margin(logits)
        closer = reached | (margin > self._closest[rows])
        self.found[rows[closer]], self._closest[rows[closer]] = attempt[closer], margin[closer]
        self.standing = rows[~reached]
        return reached
