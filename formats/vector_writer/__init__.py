"""Contents of the vectors for whole files; run formats/write_vectors.py."""
