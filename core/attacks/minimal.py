"""Attacks that look for the smallest change, in L2."""

from core.attacks.carlini_wagner import carlini_wagner
from core.attacks.ddn import ddn
from core.attacks.deepfool import deepfool

__all__ = ["carlini_wagner", "ddn", "deepfool"]
