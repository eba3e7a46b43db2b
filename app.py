"""Starts the page: `python app.py [--host HOST] [--port PORT] [--personal]`."""

import sys

if __name__ == "__main__":  # a process that fits a map imports this file, too, and needs nothing of the page
    from app.main import main  # the package of this name, which Python prefers to this file

    sys.exit(main())
