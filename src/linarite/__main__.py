"""`python -m linarite` is the `linarite` command."""

from __future__ import annotations

from linarite.cli import main

if __name__ == "__main__":
    main()
