"""The old address of the training: `python -m leaps_core.puppets.train` is `python -m leaps_core.training.train`."""

import runpy

if __name__ == "__main__":
    runpy.run_module("leaps_core.training.train", run_name="__main__", alter_sys=True)
