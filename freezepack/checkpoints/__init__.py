"""State dicts in the files of other programs, and our own checkpoints: to arrays and back."""
