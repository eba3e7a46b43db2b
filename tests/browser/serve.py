"""The page as `python app.py` starts it, with networks of a few thousand parameters among the models."""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tests import tiny

    tiny.register()
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
