"""Measurements of our own files and of what else there is: the suites of `freezepack bench`."""
