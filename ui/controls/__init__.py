"""Widgets of more than one page."""
