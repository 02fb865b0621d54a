"""The pictures of a report: light and dark, for a README 800 pixels wide."""
