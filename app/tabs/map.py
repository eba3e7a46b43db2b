"""The fourth tab: real clips as the model sees them, and how synthesized ones travel among them."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from leaps_core import banks, maps, runs, video
from leaps_core.errors import BankError, LeapsError
from leaps_core.paths import PROGRAM

from .. import controls, downloads, map_data, player, tray, views, widgets
from ..map_query import MOST_RUNS, Query, asking, picking
from ..news import STEADY
from ..session import CALM, IN_TURN, LATER, QUICK, SOON, Session, told
from ..texts import count, say, sections
from ..theme import web

THERE = """(...asked) => [...asked.slice(0, -1),
  document.hidden ? null : Boolean(document.querySelector('#map')?.offsetParent)]"""
"""A script that says to an event, in place of its last input, whether the map is looked at; null where nobody sees the page."""
STYLES = {"classes": "class", "as in the paper's figure S5": "s5"}
MOST_VIDEOS = 8
NUMBERS = ("centre", "neighbours", "spread", "density", "coverage", "frechet")


class MapTab:
    """Lays out the tab and connects it."""

    def __init__(self, session: Session, tab: gr.Tab) -> None:
        self.session = session
        self.told, self.timer, self.there = gr.State(None), gr.Timer(SOON, active=False), gr.Checkbox(visible="hidden")
        gr.Markdown(sections("map")["map"].text, elem_classes="caption")
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320):
                self._lay_out_map()
            with gr.Column(scale=2, min_width=300):
                self._lay_out_sides()
        self._wire(tab)

    def _lay_out_map(self) -> None:
        usual, said = maps.Recipe(), controls.explained("map")
        with gr.Row():
            # a bank of one's own may be chosen already when a map that was asked for before gives the list without it
            self.bank = widgets.Select([], **said["bank"], interactive=True, scale=2, min_width=220)
            self.method = gr.Radio(
                [(name.upper(), name) for name in maps.METHODS], value=usual.method, **said["method"], min_width=120
            )
            self.metric = gr.Radio(widgets.named(maps.METRICS), value=usual.metric, **said["metric"], min_width=150)
            self.dims = gr.Radio([(f"{dims}-D", dims) for dims in maps.DIMS], value=usual.dims, **said["dims"], min_width=110)
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
        self.timeline = gr.Slider(0, 100, value=100, step=1, interactive=True, buttons=[], **said["timeline"])

    def _lay_out_sides(self) -> None:
        words, said = sections("map"), controls.explained("map")
        with gr.Row():
            self.label = gr.Dropdown([(say("all classes"), "")], value="", **said["label"], interactive=True, min_width=180)
            self.style = gr.Radio(
                [(say(words), style) for words, style in STYLES.items()], value="class", **said["style"], min_width=180
            )
        self.runs = widgets.Select(
            [], multiselect=True, max_choices=MOST_RUNS, interactive=True, elem_id="shown-runs", **said["runs"]
        )
        self.own = gr.State([])
        self.videos = gr.File(
            label=say("Your own videos on the map (up to {most})", most=MOST_VIDEOS),
            file_count="multiple",
            file_types=list(video.MOVING),
            height=120,
            elem_id="map-videos",
        )
        self.player = player.player(elem_id="map-player")
        self.about = gr.Markdown(elem_id="map-about")
        self.numbers = gr.Markdown(elem_id="map-numbers")
        with gr.Row():
            self.csv = gr.Button(say("Make CSV"), size="sm", scale=0, min_width=110)
            self.file = gr.DownloadButton(say("Save CSV"), size="sm", scale=0, min_width=110, interactive=False)
            self.upload = gr.UploadButton(say("Open a bank"), size="sm", scale=0, min_width=120, file_types=[".parquet"])
        gr.Markdown(words["open"].text, elem_classes="caption")
        with gr.Accordion(say("What do the numbers mean?"), open=False):
            gr.Markdown(
                "\n\n".join(f"**{words[name].title}.** {words[name].text}" for name in (*maps.METHODS, "journey", *NUMBERS))
            )

    def _wire(self, tab: gr.Tab) -> None:
        recipe = {"bank": self.bank, "method": self.method, "metric": self.metric, "dims": self.dims}
        own = recipe | {"visitor": self.session.visitor, "key": self.session.key}
        shown = own | {"label": self.label, "style": self.style, "runs": self.runs, "videos": self.own}
        moving, measured = shown | {"share": self.timeline}, own | {"runs": self.runs}
        drawn = [
            self.bank,
            self.state,
            self.map,
            self.overlay,
            self.label,
            self.runs,
            self.player,
            self.about,
            self.file,
            self.told,
        ]
        redrawn = [self.overlay, self.told]
        last: dict[str, Any] = {**CALM, "trigger_mode": "always_last"}
        draw = {"fn": told(asking(self.draw, shown)), "inputs": [*shown.values()], "outputs": drawn}
        restyle = {"fn": told(asking(self.restyle, moving)), "inputs": [*moving.values()], "outputs": redrawn}
        measure = {"fn": told(asking(self.measure, measured)), "inputs": [*measured.values()], "outputs": self.numbers}
        gr.on([tab.select, *(part.input for part in recipe.values())], **draw, **last, concurrency_limit=8).then(
            **measure, **CALM
        )
        gr.on([part.input for part in (self.label, self.style, self.runs)], **restyle, **last)
        self.overlay.ended(**measure, **last)
        tab.select(lambda: gr.Timer(SOON, active=True), None, self.timer, **QUICK)
        followed = [*moving.values(), self.told, self.there]
        self.timer.tick(asking(self.follow, moving), followed, [*redrawn, self.timer], js=THERE, **QUICK)
        scrubbed = [*redrawn, self.player, self.about]
        self.timeline.input(told(asking(self.scrub, moving)), [*moving.values()], scrubbed, **last)
        taken = [*recipe.values(), self.videos]
        gr.on(
            [self.videos.upload, self.videos.delete, self.videos.clear],
            told(asking(self.take_videos, recipe)),
            taken,
            self.own,
            **CALM,
        ).then(**restyle, **CALM)
        picked, listed = own | {"videos": self.own}, measured | {"videos": self.own}
        self.map.pick(told(picking(self.pick, picked)), [*picked.values()], [self.player, self.about], **IN_TURN)
        self.csv.click(told(asking(self.table, listed)), [*listed.values()], self.file, **CALM)
        opened = self.upload.upload(told(self.open_bank), [self.session.visitor, self.upload], self.bank, **CALM)
        opened.success(**draw, **CALM)

    # ------------------------------------------------------------------------------------------------------- events

    def draw(self, query: Query) -> Iterator[dict[Any, Any]]:
        """The chosen bank's map; it is fitted first where that was not done before. Raises `BankError`."""
        view = views.find(query.key, query.owner)
        bank_key = query.bank or map_data.default(view.config.model if view else None)
        if bank_key is None:
            yield {
                self.state: say(
                    "No banks yet. `{program} embed --help` tells how to make one of your own videos, `python -m "
                    "leaps_core.shipped.banks` makes those of the puppets.",
                    program=PROGRAM,
                )
            }
            return
        bank = map_data.find(bank_key)
        listed = {self.bank: self._listed(query.bank, bank_key, bank)}
        found = map_data.atlas(bank_key, query.recipe)
        if found is None:
            yield {**listed, self.state: say("Fitting the map …")}
            with tray.working(say("Map of {bank}", bank=bank.path.stem), query.owner) as tell:
                for said in map_data.fit(bank, query.recipe, tell):
                    yield {self.state: say("Fitting the map: {said}", said=said)}
            listed = {}  # meanwhile a visitor may have chosen, or opened, another
            found = map_data.atlas(bank_key, query.recipe)
            assert found is not None
        classes, label = sorted(set(bank.labels.tolist())), query.label
        if label not in classes:
            label = view.config.action if view and view.config.action in classes else ""
        fitting = [(map_data.name_of(run), run.id) for run in runs.list_runs(owner=query.owner) if map_data.made_by(run, bank)]
        chosen = [name for name in query.runs or [] if any(name == one for _, one in fitting)]
        if not chosen and not (view and map_data.fits(view, bank)):
            chosen = [name for _, name in fitting[:1]]  # something that travels
        query = replace(query, label=label, runs=chosen, share=100)
        yield {
            **listed,
            self.state: _about(found, view),
            self.map: map_data.base(found, bank_key),
            **self._overlaid(query, found),
            **self._played(query, bank),
            self.label: gr.Dropdown([(say("all classes"), ""), *((name, name) for name in classes)], value=label),
            self.runs: gr.Dropdown(fitting, value=chosen),
            self.file: gr.DownloadButton(value=None, interactive=False),
        }

    def restyle(self, query: Query) -> dict[Any, Any]:
        """Another highlight, other colours or other runs."""
        found = query.atlas
        return gr.skip() if found is None else self._overlaid(query, found)

    def follow(self, query: Query, told: Any, there: bool | None) -> dict[Any, Any]:
        """A run on the map has moved on: so does its position. there: whether the map is looked at; None: it is, in a window
        that nobody sees."""
        if not there:
            return {self.timer: gr.Timer(LATER, active=there is None)}
        if told is None or not query.bank:
            return gr.skip()
        try:
            shown = query.shown(map_data.find(query.bank))
            pace = {self.timer: gr.Timer(LATER if all(_ended(view) for _, view in shown) else STEADY)}
            moved = _state(shown) != told and query.atlas  # which is read only then
            return pace | (self._overlaid(query, moved) if moved else {})
        except LeapsError:  # the bank or a run has gone; drawing the map again tells of it
            return gr.skip()

    def scrub(self, query: Query) -> dict[Any, Any]:
        """The timeline was moved: clips and positions at that step."""
        found = query.atlas
        if found is None:
            return gr.skip()
        return {**self._overlaid(query, found), **self._played(query, found.bank)}

    def pick(self, query: Query, event: gr.EventData) -> dict[Any, Any]:
        """A dot was pressed: its clip is played, and its nearest real neighbours are named. Raises `LeapsError`."""
        found = query.atlas
        if found is None:
            return gr.skip()
        bank = found.bank
        if str(event.id).startswith("video:"):
            file = query.videos[int(str(event.id).removeprefix("video:"))]
            track = player.track("picked", Path(file).stem, map_data.own_clip(bank, file), say("your video"))
            about, near = (
                f"**{_plain(Path(file).stem)}**, {say('your video')}.",
                map_data.nearest(found, map_data.own_video(found, file)),
            )
        elif event.kind == "run":
            view = views.find(str(event.id), query.owner)
            if view is None or not map_data.fits(view, bank):
                raise BankError(say("This run is not on this map any more."))
            step, clip, _ = view.snapshot(int(event.step))
            vector = next(vector for at, vector in reversed(view.journey) if at <= max(step, view.journey[0][0]))
            track = player.track("picked", view.config.action, clip, say("step {step}", step=step))
            made = say("synthesized, step {step}", step=step)
            about, near = f"**{_plain(view.config.action)}**, {made}.", map_data.nearest(found, vector)
        else:
            number = int(event.id)
            label, source = str(bank.labels[number]), bank.sources[number]
            track = {**player.kept("picked", label, source), **bank.preview(number)}
            about, near = (
                f"**{_plain(label)}**, {say('real')}: {_plain(source)}.",
                map_data.nearest(found, bank.rows([number])[0], leave=number),
            )
        names = ", ".join(f"{_plain(bank.labels[n])} ({_plain(bank.sources[n])})" for n in near)
        return {self.player: player.tracks(track, strip="picked"), self.about: f"{about} {say('Nearest real clips')}: {names}."}

    def measure(self, query: Query) -> str:
        """The metrics of those shown runs that have ended, in the original space; asked for whenever that are others."""
        found = query.atlas
        if found is None:
            return ""
        ended = [(name, view) for name, view in query.shown(found.bank) if _ended(view)]
        return map_data.metrics_table(found, ended) if ended else ""

    def table(self, query: Query) -> dict[Any, Any]:
        """The map, with all that lies on it, as a file to download."""
        found = query.atlas
        if found is None:
            raise BankError(say("There is no map to save yet. Choose a bank first."))
        path = downloads.new_folder() / "leaps-map.csv"
        maps.write_csv(found, path, map_data.table(found, query.shown(found.bank), query.videos))
        return {self.file: gr.DownloadButton(value=path, interactive=True)}

    def take_videos(self, query: Query, files: list[str] | None) -> list[str]:
        """A visitor's own videos: those that can be read go on the map."""
        found = query.atlas
        if found is None:
            raise BankError(say("There is no map to put videos on. Choose a bank first."))
        taken, asked = [], (files or [])[:MOST_VIDEOS]
        with tray.working(say("Your videos"), query.owner) as tell:
            for i, file in enumerate(asked):
                tell(i, len(asked))
                try:
                    map_data.own_video(found, file)
                    taken.append(file)
                except LeapsError as error:
                    gr.Warning(str(error), title=Path(file).name)
        return taken

    def open_bank(self, visitor: str | None, file: str) -> dict[Any, Any]:
        """A visitor's own bank. Raises `BankError`."""
        with tray.working(say("Your bank"), views.owner_of(visitor)):
            key = map_data.take(file)
        return {self.bank: gr.Dropdown([*map_data.choices(), (map_data.title(Path(file)), key)], value=key)}

    # -------------------------------------------------------------------------------------------------------- parts

    def _listed(self, chosen: str | None, key: str, bank: banks.Bank) -> gr.Dropdown:
        """The banks to choose from, the drawn one among them; it is what is chosen where nothing was."""
        known = map_data.choices()
        known += [] if any(key == one for _, one in known) else [(map_data.title(bank.path), key)]
        return gr.Dropdown(known) if chosen else gr.Dropdown(known, value=key)

    def _played(self, query: Query, bank: banks.Bank) -> dict[Any, Any]:
        """The clips of what travels on the map, at the timeline's position."""
        tracks = []
        for name, view in query.shown(bank):
            step, clip, _ = view.snapshot(_step(view, query.share))
            tracks.append(player.track(view.key, name, clip, say("step {step}", step=step)))
        return {self.player: player.tracks(*tracks), self.about: ""}

    def _overlaid(self, query: Query, found: maps.Atlas) -> dict[Any, Any]:
        """What is highlighted and what travels on the map, and what the browser has been told so."""
        shown = query.shown(found.bank)
        overlay = {
            "highlight": query.label,
            "style": query.style,
            "runs": [*(map_data.trail(found, view, name) for name, view in shown), *map_data.stops(found, query.videos)],
            "shown_at": {view.key: _step(view, query.share) for _, view in shown} if query.share < 100 else {},
            "ended": [found.bank.facts["digest"], found.map.recipe.name, *(view.key for _, view in shown if _ended(view))],
        }
        return {self.overlay: overlay, self.told: _state(shown)}


def poster(asked: list[Any]) -> str:
    """The picture of one real clip, for the card at the pointer; "" where there is none. asked: [bank's key, number]."""
    try:
        return map_data.find(str(asked[0])).poster(int(asked[1]))
    except (LeapsError, ValueError, TypeError, IndexError):
        return ""


def _state(shown: list[tuple[str, views.View]]) -> Any:
    """What the overlay was made of."""
    return [[view.key, view.journey[-1][0], _ended(view)] for _, view in shown]


def _ended(view: views.View) -> bool:
    """Whether a run has a last clip, which can be measured."""
    return bool(view.final and view.clips)


def _step(view: views.View, share: float) -> int:
    return round(share / 100 * view.journey[-1][0])


def _about(found: maps.Atlas, view: views.View | None) -> str:
    """What lies on the map, and why the run on the stage may not."""
    bank, shown = found.bank, len(found.map.numbers)
    counts = {"shown": count(shown), "clips": count(len(bank)), "classes": len(set(bank.labels.tolist()))}
    model = _plain(widgets.model_name(bank.facts["model"]))
    words = say("{shown} of {clips} real clips of {classes} classes, as {model} sees them.", **counts, model=model)
    if bank.puppets:
        words += f" **{say('These are puppets, not Kinetics.')}**"
    if view is not None and view.config.model != bank.facts["model"]:
        model = _plain(widgets.model_name(view.config.model))
        words += " " + say("The run on the stage is of {model}, so it can't be shown here.", model=model)
    elif view is not None and view.journey and not map_data.fits(view, bank):
        words += " " + say(
            "The run on the stage was made with other weights than this bank, or before runs noted theirs, so it can't be "
            "shown here."
        )
    return words


def _plain(text: Any) -> str:
    """Text of others for Markdown."""
    return html.escape(str(text)).replace("|", "/").replace("[", "(").replace("]", ")").replace("*", "∗")
