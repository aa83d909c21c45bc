"""Forty results of a tree as arrays: what `benchmarks.same` compares with those of another."""

NO_RESULT = "no result"  # in place of what fails: why
