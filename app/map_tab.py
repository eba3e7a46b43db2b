"""The fourth tab: real clips as the model sees them, and the way that synthesized ones take among them."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from leaps_core import maps, runs
from leaps_core.banks import Bank
from leaps_core.errors import BankError, LeapsError

from . import controls, places, player, stage, views
from .session import CALM, IN_TURN, QUICK, Session, toasts, toasts_while
from .texts import sections
from .theme import web

STYLES = {"classes": "class", "as in the paper's figure S5": "s5"}
MOST_RUNS = 6
MOST_VIDEOS = 8
NUMBERS = ("centre", "neighbours", "spread", "density", "coverage", "frechet")


class MapTab:
    """Lays out the tab and connects it."""

    def __init__(self, session: Session, tab: gr.Tab) -> None:
        self.session, words = session, sections("map")
        self.told = gr.State(None)
        gr.Markdown(words["map"].text, elem_classes="caption")
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320):
                with gr.Row():
                    self.bank = gr.Dropdown([], label="Bank of real clips", interactive=True, scale=3, min_width=220)
                    self.method = gr.Radio([("UMAP", "umap"), ("PCA", "pca")], value="umap", label="Map", min_width=120)
                    self.metric = gr.Radio(list(maps.METRICS), value="cosine", label="Distance", min_width=150)
                    self.dims = gr.Radio([("2-D", 2), ("3-D", 3)], value=2, label="Dimensions", min_width=110)
                self.state = gr.Markdown(elem_id="map-state", elem_classes="caption")
                self.map = gr.HTML(
                    {},
                    html_template=web("map.html"),
                    css_template=web("map.css"),
                    js_on_load=web("map.js"),
                    apply_default_css=False,
                    elem_id="map",
                    server_functions=[poster],
                )
                self.overlay = gr.HTML(
                    {}, html_template="<i></i>", js_on_load=web("overlay.js"), apply_default_css=False, elem_id="overlay"
                )
                self.timeline = gr.Slider(
                    0,
                    100,
                    value=100,
                    step=1,
                    interactive=True,
                    buttons=[],
                    label="Journey, % of the steps: drag it to see clip and place together",
                )
            with gr.Column(scale=2, min_width=300):
                with gr.Row():
                    self.label = gr.Dropdown(
                        [("all classes", "")],
                        value="",
                        label="Highlight a class (type to search)",
                        interactive=True,
                        min_width=180,
                    )
                    self.style = gr.Radio(list(STYLES.items()), value="class", label="Colours", min_width=180)
                self.runs = gr.Dropdown(
                    [],
                    multiselect=True,
                    max_choices=MOST_RUNS,
                    interactive=True,
                    elem_id="shown-runs",
                    label="Runs on the map, besides the one on the stage",
                )
                self.own = gr.State([])
                self.videos = gr.File(
                    label=f"Your own videos on the map (up to {MOST_VIDEOS})",
                    file_count="multiple",
                    file_types=list(controls.EXTENSIONS),
                    height=120,
                    elem_id="map-videos",
                )
                self.player = player.player(elem_id="map-player")
                self.about = gr.Markdown(elem_id="map-about")
                self.numbers = gr.Markdown(elem_id="map-numbers")
                with gr.Row():
                    self.csv = gr.Button("Make CSV", size="sm", scale=0, min_width=110)
                    self.file = gr.DownloadButton("Save CSV", size="sm", scale=0, min_width=110, interactive=False)
                    self.upload = gr.UploadButton("Open a bank", size="sm", scale=0, min_width=120, file_types=[".parquet"])
                gr.Markdown(words["open"].text, elem_classes="caption")
                with gr.Accordion("What do the numbers mean?", open=False):
                    gr.Markdown(
                        "\n\n".join(
                            f"**{words[name].title}.** {words[name].text}" for name in ("umap", "pca", "journey", *NUMBERS)
                        )
                    )
        self._wire(tab)

    def _wire(self, tab: gr.Tab) -> None:
        me, recipe = [self.session.visitor, self.session.key], [self.bank, self.method, self.metric, self.dims]
        shown = [self.label, self.style, self.runs, self.own]
        drawn = [self.bank, self.state, self.map, self.overlay, self.label, self.runs, self.about, self.file, self.told]
        gr.on(
            [tab.select, *(part.input for part in recipe)],
            toasts_while(self.draw),
            [*me, *recipe, *shown],
            drawn,
            **CALM,
            trigger_mode="always_last",
            concurrency_limit=8,
        ).then(toasts(self.figures), [*me, *recipe, self.runs], self.numbers, **CALM)
        gr.on(
            [part.input for part in (self.label, self.style, self.runs)],
            toasts(self.restyle),
            [*me, *recipe, *shown, self.timeline],
            [self.overlay, self.told],
            **CALM,
            trigger_mode="always_last",
        )
        self.overlay.ended(toasts(self.figures), [*me, *recipe, self.runs], self.numbers, **CALM, trigger_mode="always_last")
        self.session.timer.tick(
            self.follow, [*me, *recipe, *shown, self.timeline, self.told], [self.overlay, self.told], **QUICK
        )
        self.timeline.input(
            toasts(self.scrub),
            [*me, *recipe, *shown, self.timeline],
            [self.overlay, self.player, self.about, self.told],
            trigger_mode="always_last",
            **CALM,
        )
        gr.on(
            [self.videos.upload, self.videos.delete, self.videos.clear],
            toasts(self.take_videos),
            [*recipe, self.videos],
            self.own,
            **CALM,
        ).then(toasts(self.restyle), [*me, *recipe, *shown, self.timeline], [self.overlay, self.told], **CALM)
        self.map.pick(toasts(self.pick), [*me, *recipe, self.own], [self.player, self.about], **IN_TURN)
        self.csv.click(toasts(self.table), [*me, *recipe, self.runs, self.own], self.file, **CALM)
        self.upload.upload(toasts(self.open_bank), self.upload, self.bank, **CALM).success(
            toasts_while(self.draw), [*me, *recipe, *shown], drawn, **CALM
        )

    # ------------------------------------------------------------------------------------------------------- events

    def draw(
        self,
        visitor: str | None,
        key: str | None,
        bank_key: str | None,
        method: maps.Method,
        metric: maps.Metric,
        dims: int,
        label: str,
        style: str,
        chosen: list[str],
        own: list[str],
    ) -> Iterator[dict[Any, Any]]:
        """The chosen bank's map; it is fitted first where that was not done before. Raises `BankError`."""
        view = views.find(key, views.owner_of(visitor))
        known = places.choices()
        bank_key = bank_key or places.default(view.config.model if view else None)
        if bank_key is None:
            yield {
                self.state: "No banks yet. `python -m leaps_core embed --help` tells how to make one of your own videos, "
                "`python -m leaps_core.studies.banks` makes those of the puppets."
            }
            return
        bank, recipe = places.find(bank_key), maps.Recipe(method, metric, dims)
        known += [] if any(bank_key == one for _, one in known) else [(places.title(bank.path), bank_key)]
        found = places.atlas(bank_key, recipe)
        if found is None:
            yield {self.bank: gr.Dropdown(known, value=bank_key), self.state: "Fitting the map …"}
            for said in places.fit(bank, recipe):
                yield {self.state: f"Fitting the map: {said}"}
            found = places.atlas(bank_key, recipe)
            assert found is not None
        classes = sorted(set(bank.labels.tolist()))
        if label not in classes:
            label = view.config.action if view and view.config.action in classes else ""
        fitting = [
            (places.name_of(run), run.id)
            for run in runs.list_runs(owner=views.owner_of(visitor))
            if run.config.model == bank.facts["model"] and run.record.get("weights") == bank.facts["weights"]
        ]
        chosen = [name for name in chosen or [] if any(name == one for _, one in fitting)]
        told, overlay = self._overlay(visitor, key, found, label, style, chosen, own)
        yield {
            self.bank: gr.Dropdown(known, value=bank_key),
            self.state: _about(found, view),
            self.map: places.base(found, bank_key),
            self.overlay: overlay,
            self.told: told,
            self.label: gr.Dropdown([("all classes", ""), *((name, name) for name in classes)], value=label),
            self.runs: gr.Dropdown(fitting, value=chosen),
            self.file: gr.DownloadButton(value=None, interactive=False),
        }

    def restyle(
        self,
        visitor: str | None,
        key: str | None,
        bank_key: str | None,
        method: maps.Method,
        metric: maps.Metric,
        dims: int,
        label: str,
        style: str,
        chosen: list[str],
        own: list[str],
        share: float,
    ) -> dict[Any, Any]:
        """Another highlight, other colours or other runs."""
        found = places.atlas(bank_key, maps.Recipe(method, metric, dims)) if bank_key else None
        if found is None:
            return gr.skip()
        told, overlay = self._overlay(visitor, key, found, label, style, chosen, own, share)
        return {self.overlay: overlay, self.told: told}

    def follow(
        self,
        visitor: str | None,
        key: str | None,
        bank_key: str | None,
        method: maps.Method,
        metric: maps.Metric,
        dims: int,
        label: str,
        style: str,
        chosen: list[str],
        own: list[str],
        share: float,
        told: Any,
    ) -> dict[Any, Any]:
        """The run on the stage has moved on: so does its place. Does nothing before the map was looked at."""
        if told is None or not bank_key:
            return gr.skip()
        try:
            shown = self._shown(visitor, key, chosen, places.find(bank_key))
            if _state(shown) == told:
                return gr.skip()
            return self.restyle(visitor, key, bank_key, method, metric, dims, label, style, chosen, own, share)
        except LeapsError:  # the bank or a run has gone; drawing the map again tells of it
            return gr.skip()

    def scrub(
        self,
        visitor: str | None,
        key: str | None,
        bank_key: str | None,
        method: maps.Method,
        metric: maps.Metric,
        dims: int,
        label: str,
        style: str,
        chosen: list[str],
        own: list[str],
        share: float,
    ) -> dict[Any, Any]:
        """The timeline was moved: clips and places of that moment."""
        updates = self.restyle(visitor, key, bank_key, method, metric, dims, label, style, chosen, own, share)
        if not isinstance(updates, dict) or self.overlay not in updates:
            return updates
        shown = self._shown(visitor, key, chosen, places.find(bank_key))
        tracks = []
        for name, view in shown:
            step, clip, _ = view.moment(_step(view, share))
            tracks.append(player.track(view.key, name, clip, f"step {step}"))
        return updates | {self.player: player.tracks(*tracks), self.about: ""}

    def pick(
        self,
        visitor: str | None,
        key: str | None,
        bank_key: str | None,
        method: maps.Method,
        metric: maps.Metric,
        dims: int,
        own: list[str],
        event: gr.EventData,
    ) -> dict[Any, Any]:
        """A dot was pressed: its clip is played, and its nearest real neighbours are named. Raises `LeapsError`."""
        found = places.atlas(bank_key, maps.Recipe(method, metric, dims))
        if found is None:
            return gr.skip()
        if str(event.id).startswith("video:"):
            file = own[int(str(event.id).removeprefix("video:"))]
            track = player.track("picked", Path(file).stem, places.own_clip(found.bank, file), "your video")
            about, near = f"**{_plain(Path(file).stem)}**, your video.", places.nearest(found, places.own_video(found, file))
        elif event.kind == "run":
            view = views.find(str(event.id), views.owner_of(visitor))
            if view is None or not places.fits(view, found.bank):
                raise BankError("This run is not on this map any more.")
            step, clip, _ = view.moment(int(event.step))
            vector = next(vector for at, vector in reversed(view.journey) if at <= max(step, view.journey[0][0]))
            track = player.track("picked", view.config.action, clip, f"step {step}")
            about = f"**{_plain(view.config.action)}**, synthesized, step {step}."
            near = places.nearest(found, vector)
        else:
            number = int(event.id)
            track = {
                **player.kept("picked", str(found.bank.labels[number]), found.bank.sources[number]),
                **found.bank.preview(number),
            }
            about = f"**{_plain(found.bank.labels[number])}**, real: {_plain(found.bank.sources[number])}."
            near = places.nearest(found, found.bank.rows([number])[0], leave=number)
        names = ", ".join(f"{_plain(found.bank.labels[n])} ({_plain(found.bank.sources[n])})" for n in near)
        return {self.player: player.tracks(track, strip="picked"), self.about: f"{about} Nearest real clips: {names}."}

    def figures(
        self,
        visitor: str | None,
        key: str | None,
        bank_key: str | None,
        method: maps.Method,
        metric: maps.Metric,
        dims: int,
        chosen: list[str],
    ) -> str:
        """The figures of those shown runs that have ended, in the original space; asked for whenever that are others."""
        found = places.atlas(bank_key, maps.Recipe(method, metric, dims)) if bank_key else None
        if found is None:
            return ""
        ended = [(name, view) for name, view in self._shown(visitor, key, chosen, found.bank) if _ended(view)]
        return places.figures(found, ended) if ended else ""

    def table(
        self,
        visitor: str | None,
        key: str | None,
        bank_key: str | None,
        method: maps.Method,
        metric: maps.Metric,
        dims: int,
        chosen: list[str],
        own: list[str],
    ) -> dict[Any, Any]:
        """The map, with all that lies on it, as a file to download."""
        found = places.atlas(bank_key, maps.Recipe(method, metric, dims)) if bank_key else None
        if found is None:
            raise BankError("There is no map to save yet. Choose a bank first.")
        path = stage.new_folder() / "leaps-map.csv"
        maps.write_csv(found, path, places.table(found, self._shown(visitor, key, chosen, found.bank), own))
        return {self.file: gr.DownloadButton(value=path, interactive=True)}

    def take_videos(
        self, bank_key: str | None, method: maps.Method, metric: maps.Metric, dims: int, files: list[str] | None
    ) -> list[str]:
        """A visitor's own videos: those that can be read go on the map."""
        found = places.atlas(bank_key, maps.Recipe(method, metric, dims)) if bank_key else None
        if found is None:
            raise BankError("There is no map to put videos on. Choose a bank first.")
        taken = []
        for file in (files or [])[:MOST_VIDEOS]:
            try:
                places.own_video(found, file)
                taken.append(file)
            except LeapsError as error:
                gr.Warning(str(error), title=Path(file).name)
        return taken

    def open_bank(self, file: str) -> dict[Any, Any]:
        """A visitor's own bank."""
        key = places.take(file)
        return {self.bank: gr.Dropdown([*places.choices(), (places.title(Path(file)), key)], value=key)}

    # -------------------------------------------------------------------------------------------------------- parts

    def _shown(self, visitor: str | None, key: str | None, chosen: list[str], bank: Bank) -> list[tuple[str, views.View]]:
        """The run on the stage and the chosen ones, with their names; only those that belong on the bank."""
        owner, shown = views.owner_of(visitor), {}
        for name in dict.fromkeys([key, *(chosen or [])[:MOST_RUNS]]):
            view = views.find(name, owner) if name else None
            if view is not None and view.journey and places.fits(view, bank):
                shown[view.key] = (f"{view.config.action} · seed {view.config.seed}", view)
        return list(shown.values())

    def _overlay(
        self,
        visitor: str | None,
        key: str | None,
        found: maps.Atlas,
        label: str,
        style: str,
        chosen: list[str],
        own: list[str],
        share: float = 100,
    ) -> tuple[Any, dict[str, Any]]:
        shown = self._shown(visitor, key, chosen, found.bank)
        return _state(shown), {
            "highlight": label,
            "style": style,
            "runs": [*(places.trail(found, view, name) for name, view in shown), *places.stops(found, own)],
            "moment": {view.key: _step(view, share) for _, view in shown} if share < 100 else {},
            "ended": [found.bank.facts["digest"], found.map.recipe.name, *(view.key for _, view in shown if _ended(view))],
        }


def poster(asked: list[Any]) -> str:
    """The picture of one real clip, for the card at the pointer; "" where there is none. asked: [bank's key, number]."""
    try:
        return places.find(str(asked[0])).poster(int(asked[1]))
    except (LeapsError, ValueError, TypeError, IndexError):
        return ""


def _state(shown: list[tuple[str, views.View]]) -> Any:
    """What the overlay was made of."""
    return [[view.key, view.journey[-1][0], _ended(view)] for _, view in shown]


def _ended(view: views.View) -> bool:
    """Whether a run has a last clip, which there can be figures of."""
    return bool(view.final and view.clips)


def _step(view: views.View, share: float) -> int:
    return round(share / 100 * view.journey[-1][0])


def _about(found: maps.Atlas, view: views.View | None) -> str:
    """What lies on the map, and why the run on the stage may not."""
    bank, shown = found.bank, len(found.map.numbers)
    words = (
        f"{shown:,} of {len(bank):,} real clips of {len(set(bank.labels.tolist()))} classes, as "
        f"{_plain(bank.facts['model'])} sees them.{' **These are puppets, not Kinetics.**' * bank.puppets}"
    )
    if view is not None and view.config.model != bank.facts["model"]:
        words += f" The run on the stage is of {_plain(view.config.model)}, so it can't be shown here."
    elif view is not None and view.journey and not places.fits(view, bank):
        words += (
            " The run on the stage was made with other weights than this bank, or before runs noted theirs, so it "
            "can't be shown here."
        )
    return words


def _plain(text: Any) -> str:
    """Text of others for Markdown."""
    return html.escape(str(text)).replace("|", "/").replace("[", "(").replace("]", ")").replace("*", "∗")
