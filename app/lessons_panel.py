"""The lessons beside the stage, laid out: what to read, what to do with the real engine, and a check. `tabs/lessons.py`
connects them with the stage."""

from __future__ import annotations

from typing import Any

import gradio as gr

from . import widgets
from .lessons import MOST_DOINGS, Lesson, lessons
from .session import CALM
from .texts import sections
from .theme import web

FORMULAS = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


class LessonsPanel:
    """Lays the lessons out. `doings`: the button and the text of each thing to do."""

    def __init__(self) -> None:
        words, known = sections("about")["lessons"], lessons()
        first = next(iter(known.values()))
        guided = sections("about")["guided"]
        self.guided = gr.Button(f"▶ {guided.title}", size="sm", elem_id="guided")
        gr.Markdown(guided.text, elem_classes="caption")
        self.links = gr.HTML(
            {lesson.named: key for key, lesson in known.items()},  # type: ignore[arg-type]
            html_template="",
            js_on_load=web("lessons.js"),
            apply_default_css=False,
            elem_id="lesson-links",
        )
        with gr.Accordion(words.title, open=False, elem_id="lessons"):
            self.choice = gr.Dropdown(
                [(f"{lesson.number}. {lesson.title} ({lesson.minutes} min)", lesson.key) for lesson in known.values()],
                value=first.key,
                label=words.text,
                interactive=True,
                elem_id="lesson",
            )
            self.text = gr.Markdown(first.text, latex_delimiters=FORMULAS, elem_id="lesson-text")
            self.doings = []
            for i in range(MOST_DOINGS):
                label, text, there = _doing(first, i)
                button = gr.Button(label, size="sm", visible=there, scale=0, elem_classes="doing")
                self.doings.append((button, gr.Markdown(text, visible=there, latex_delimiters=FORMULAS)))
            self.check = widgets.Options(
                [answer.text for answer in first.answers], label=first.question, interactive=True, elem_id="lesson-check"
            )
            self.told = gr.Markdown("", elem_id="lesson-told")
        shown = [self.text, *(part for doing in self.doings for part in doing), self.check, self.told]
        last: dict[str, Any] = {**CALM, "trigger_mode": "always_last"}
        self.links.pick(asked, None, self.choice, **CALM)
        self.choice.change(self.show, self.choice, shown, **last)
        self.check.input(lambda key, answer: lessons()[key].told(answer), [self.choice, self.check], self.told, **last)

    def show(self, key: str) -> dict[Any, Any]:
        """Another lesson."""
        lesson = lessons()[key]
        updates: dict[Any, Any] = {
            self.text: lesson.text,
            self.check: gr.Radio([answer.text for answer in lesson.answers], value=None, label=lesson.question),
            self.told: "",
        }
        for i, (button, text) in enumerate(self.doings):
            label, said, there = _doing(lesson, i)
            updates |= {button: gr.Button(label, visible=there), text: gr.Markdown(said, visible=there)}
        return updates


def asked(event: gr.EventData) -> Any:
    """The lesson whose link was followed."""
    return event.key if event.key in lessons() else gr.skip()


def _doing(lesson: Lesson, number: int) -> tuple[str, str, bool]:
    """A thing to do: what stands on its button and below, and whether the lesson has so many."""
    if number >= len(lesson.doings):
        return "", "", False
    return f"▶ {lesson.doings[number].title}", lesson.doings[number].text, True
