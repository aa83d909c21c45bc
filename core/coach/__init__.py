"""Advice from settings and outcomes."""

from core.later import offered

__getattr__ = offered("core.coach.rules", "RULES", "advise")
