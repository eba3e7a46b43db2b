"""The fifth tab: the paper's experiments, begun, watched and read."""

from __future__ import annotations

import base64
import html
import shlex
from pathlib import Path
from typing import Any

import gradio as gr

from leaps_core import banks, models, paths
from leaps_core.cli.synth import setting
from leaps_core.errors import ConfigError, RunError
from leaps_core.paths import given
from leaps_core.studies import catalogue, embedding, grid, search
from leaps_core.studies.study import Asked

from .. import controls, map_data, studies, views
from ..session import CALM, told
from ..texts import say, sections

FIGURES = 6
"""How many figures of a study are shown; of more, it is told where they lie."""
FIRST = "puppet_r50"
"""The model that is chosen at first."""
PERIOD = 3.0
"""s between two looks at a study that goes on."""


class StudiesTab:
    """Lays out the tab and connects it."""

    def __init__(self, tab: gr.Tab) -> None:
        words, said = sections("studies"), controls.explained("studies")
        self.timer = gr.Timer(PERIOD, active=False)
        self.told = gr.State(None)
        gr.Markdown(words["studies"].text, elem_classes="caption")
        self._lay_out_form(said)
        first = next(iter(catalogue.STUDIES.values()))
        self.about = gr.Markdown(say(first.about), elem_classes="caption", visible=views.PERSONAL)
        with gr.Row(elem_id="study-bar"):
            self.start = gr.Button(say("Start study"), variant="primary", scale=0, min_width=130, visible=views.PERSONAL)
            self.stop = gr.Button(say("Stop"), interactive=False, scale=0, min_width=90, visible=views.PERSONAL)
            self.line = gr.Markdown(elem_classes="caption", elem_id="study-line")
        self.results = gr.Dropdown([], **said["results"], interactive=True)
        self.table = gr.Markdown(elem_id="study-table")
        with gr.Row():
            self.figures = [gr.Plot(show_label=False, container=False, visible=False, min_width=380) for _ in range(FIGURES)]
        self.pictures = gr.HTML("", elem_id="study-pictures", apply_default_css=False)
        self._wire(tab)

    def _lay_out_form(self, said: dict[str, dict[str, str]]) -> None:
        """What can be asked, for a person's own page."""
        with gr.Group(visible=views.PERSONAL):
            with gr.Row():
                self.study = gr.Dropdown(
                    [(say(study.title), name) for name, study in catalogue.STUDIES.items()],
                    **said["study"],
                    interactive=True,
                    min_width=200,
                )
                self.models = gr.Dropdown([], multiselect=True, **said["models"], min_width=260)
                self.actions = gr.Dropdown([], multiselect=True, **said["actions"], min_width=220)
                self.seeds = gr.Number(1, **said["seeds"], precision=0, minimum=1, maximum=1000, min_width=120)
                self.stimuli = gr.Textbox("", **said["stimuli"], interactive=True, min_width=220)
                self.settings = gr.Textbox("", **said["settings"], interactive=True, min_width=220)
                self.budget = gr.Number(
                    search.TENTH,
                    **said["budget"],
                    precision=0,
                    minimum=0,
                    maximum=len(search.points()),
                    visible=False,
                    min_width=160,
                )
                self.banks = gr.Dropdown([], multiselect=True, **said["banks"], visible=False, min_width=220)

    @property
    def _outputs(self) -> list[Any]:
        return [self.results, self.line, self.table, *self.figures, self.pictures, self.start, self.stop, self.timer, self.told]

    def _wire(self, tab: gr.Tab) -> None:
        chosen = [self.study, self.models]
        tab.select(self.fill, [*chosen, self.results], [self.models, self.actions, self.banks, *self._outputs], **CALM)
        self.study.input(told(self.explain), self.study, [self.about, self.seeds, self.budget, self.banks], **CALM)
        self.models.input(self.offer, self.models, self.actions, **CALM)
        asked = [self.study, self.models, self.actions, self.seeds, self.stimuli, self.settings, self.budget, self.banks]
        self.start.click(told(self.begin), asked, self._outputs, **CALM)
        self.stop.click(self.end, self.results, self._outputs, **CALM)
        self.results.input(told(self.show), self.results, self._outputs, **CALM)
        self.timer.tick(self.follow, [self.results, self.told], self._outputs, **CALM)

    # ------------------------------------------------------------------------------------------------------- events

    def fill(self, study: str | None, chosen: list[str] | None, shown: str | None) -> dict[Any, Any]:
        """What can be chosen, and the study that was shown last, else the newest."""
        known = [(words, key) for words, key in controls.model_choices() if models.state(models.spec(key)) != "download"]
        keys = [key for _, key in known]
        chosen = [key for key in chosen or [] if key in keys] or [FIRST]
        return {
            self.models: gr.Dropdown(known, value=chosen, multiselect=True),
            self.actions: self.offer(chosen),
            self.banks: gr.Dropdown([(map_data.title(path), str(path)) for path in banks.found()]),
            **self._listed(shown),
        }

    def explain(self, study: str) -> dict[Any, Any]:
        """What a study asks."""
        found = catalogue.find(study)
        return {
            self.about: say(found.about),
            self.seeds: found.usual.get("seeds", 1),
            self.budget: gr.Number(visible=found is grid.STUDY),
            self.banks: gr.Dropdown(visible=found is embedding.STUDY),
        }

    def offer(self, chosen: list[str] | None) -> Any:
        """The actions that all chosen models know."""
        worlds = [models.labels(models.spec(key).world) for key in chosen or []]
        return gr.Dropdown([label for label in (worlds[0] if worlds else ()) if all(label in world for world in worlds)])

    def begin(
        self,
        study: str,
        keys: list[str] | None,
        actions: list[str] | None,
        seeds: float | None,
        folder: str | None,
        settings: str | None,
        budget: float | None,
        known: list[str] | None = None,
    ) -> dict[Any, Any]:
        """Begins a study, or goes on with it. known: files of banks of real clips. Raises `LeapsError`."""
        if not views.PERSONAL:
            raise RunError(
                say("Studies take hours of this machine, so a public page shows them only; the command line makes them.")
            )
        if not keys:
            raise ConfigError(say("Choose a model first."))
        stimuli: Path | None = given(folder.strip()) if folder and folder.strip() else None
        found = catalogue.find(study)
        asked = Asked(
            tuple(keys),
            tuple(actions or ()),
            int(seeds or 1),
            stimuli=stimuli,
            settings=_settings(settings or ""),
            budget=int(budget or 0) if found is grid.STUDY else 0,
            banks=tuple(map(Path, known or ())) if found is embedding.STUDY else (),
        )
        return self._listed(str(studies.begin(found, asked).folder))

    def end(self, shown: str | None) -> dict[Any, Any]:
        """Stops the study that is shown."""
        if (found := self._find(shown)) is not None and views.PERSONAL:
            studies.stop(found)
        return self._listed(shown)

    def show(self, shown: str | None) -> dict[Any, Any]:
        """Another study."""
        return self._listed(shown)

    def follow(self, shown: str | None, told: Any) -> dict[Any, Any]:
        """News of the study that is shown: only what has changed."""
        found = self._find(shown)
        if found is None:
            return {self.timer: gr.Timer(active=False)}
        if told == _state(found):
            return {self.line: found.line}
        return self._shown(found)

    # -------------------------------------------------------------------------------------------------------- parts

    def _find(self, shown: str | None) -> studies.Shown | None:
        """The study of a folder, which has to be one of those that are listed, or has just begun."""
        name, known = Path(shown or "").name, studies.all_shown()
        asked = studies.Shown(paths.studies() / name)
        return asked if asked.begun else next((one for one in known if one.folder.name == name), None)

    def _listed(self, shown: str | None) -> dict[Any, Any]:
        known = studies.all_shown()
        found = self._find(shown) or next(iter(known), None)
        names = [(one.name, one.folder.name) for one in known]
        if found is None:
            return {self.results: gr.Dropdown(names, value=None), self.line: say("No study was begun yet.")}
        if found.folder.name not in [name for _, name in names]:
            names.insert(0, (found.folder.name, found.folder.name))
        return {self.results: gr.Dropdown(names, value=found.folder.name), **self._shown(found)}

    def _shown(self, found: studies.Shown) -> dict[Any, Any]:
        figures = found.figures
        plots = [gr.Plot(figure, visible=True) for figure in figures[:FIGURES]]
        more = say("{count} more figures lie in the study's folder.", count=len(figures) - FIGURES)
        plots += [gr.Plot(visible=False)] * (FIGURES - len(plots))
        return {
            self.line: found.line,
            self.table: found.table,
            **dict(zip(self.figures, plots, strict=True)),
            self.pictures: "".join(map(_picture, found.pictures)) + f"<p>{more}</p>" * (len(figures) > FIGURES),
            self.start: gr.Button(interactive=not found.running),
            self.stop: gr.Button(interactive=found.running),
            self.timer: gr.Timer(active=found.running),
            self.told: _state(found),
        }


def _settings(text: str) -> dict[str, Any]:
    """Settings as they are typed, as on the command line. Raises `ConfigError`."""
    try:
        return dict(map(setting, shlex.split(text)))
    except ValueError:  # a quotation mark is left open
        raise ConfigError(
            say("“{text}” can't be read; expected FIELD=VALUE, with spaces between, as steps=60 coherence=2.", text=text)
        ) from None


def _state(found: studies.Shown) -> list[Any]:
    """What changes when there is something new to show."""
    table = found.folder / "table.md"
    return [found.running, table.stat().st_mtime_ns if table.is_file() else 0]


def _picture(path: Path) -> str:
    """A picture of a study, as the page draws it."""
    title = html.escape(say("One row per action") if path.stem == "sheet" else path.stem.replace("-", " "))
    data = base64.b64encode(path.read_bytes()).decode()
    image = f"<img alt='{title}' src='data:image/{path.suffix[1:]};base64,{data}'>"
    return f"<figure tabindex='0'>{image}<figcaption>{title}</figcaption></figure>"
