"""Bytes to tables and back: one reader and one writer of formats/freezepack-1.md.

Nothing here makes random numbers or knows how a codec codes; sections are bytes.
"""
