"""Accuracy experiments: TOML files in, one CSV row for each run and form of its values out."""
