"""From here Gradio learns of new code in a Space."""

from typing import Any


def start_reload_server(**_: Any) -> None:
    """Nothing."""
