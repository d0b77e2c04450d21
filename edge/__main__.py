"""``python -m edge`` runs the command line ``smartpark``."""

from edge.cli import main

if __name__ == "__main__":
    main()
