"""Inverting a model: from a config to a clip.

    plan.py        what a run will do, decided once          loop.py        `synthesize`: the loop itself
    stimulus.py    the real clips that prime it              state.py       what changes from step to step
    estimate.py    time and memory                           networks.py    model, verifier, judge at work
    control.py     steering from another thread              canvas.py      how the clip is stored
    schedule.py    learning rate, snapshots                  transforms.py  random views
    terms.py       which terms the loss has                  objective.py   the terms as functions
    step.py        what a run shows after each step
    lent.py        the loop on a lent graphics card          lane.py        a run on its way through the loop

The left column does not import torch.
"""
