"""`python -m freezepack` is the command `freezepack`."""

from freezepack.cli import main

if __name__ == "__main__":
    main()
