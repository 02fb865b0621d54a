"""From tensors to a pack: compare with the base, choose codecs, write, read back and compare."""
