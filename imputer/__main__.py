"""``python -m imputer``."""

from imputer.cli import main

if __name__ == "__main__":
    main(prog_name="imputer")
