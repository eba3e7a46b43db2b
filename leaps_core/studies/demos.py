"""The old address of what makes the shipped demos: `python -m leaps_core.studies.demos`."""

from ..shipped.demos import main

if __name__ == "__main__":
    main()
