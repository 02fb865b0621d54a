"""torch modules as base plus patch: seeded fill, the frozen overlay, names and order of tensors."""
