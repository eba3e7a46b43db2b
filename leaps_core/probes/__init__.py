"""Looking closer at a clip: what changes in it, where and when, where the model looks, and counter-questions.

motion.py   differences, optical flow, a slice through space and time     gradient.py   where the model looks
questions.py   what networks say of the clip, and of it played backwards, shuffled, frozen, one frame only
changes.py   ten everyday changes: is the action still named?
opinion.py   all that networks say of a run's clip               look.py   all of it, for a finished run
"""
