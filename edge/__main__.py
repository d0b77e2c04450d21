"""``python -m edge`` is ``smartpark``."""

from edge.cli import main

if __name__ == "__main__":
    main()
