"""The header of a small file in few bytes: its fields through an adaptive binary coder.

The fields, their order and their rules are those of any header; see formats/header.md.

    decisions   probabilities that learn       numbers   numbers, choices, guesses
    texts       metadata and hints             spelling  names
    shapes      ranks, dimensions, factors     model     which field is coded how
    primer      what is known at the start
    cursors     reading fields from a coded header, and coding those of a plain one
"""
