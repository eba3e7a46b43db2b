"""The old address of what makes the shipped banks: `python -m leaps_core.studies.banks`."""

from ..shipped.banks import main

if __name__ == "__main__":
    main()
