"""The page: choose a model and an action, press Start, and watch a clip come out of noise.

    main.py        starts it                              page.py        builds it, tab by tab
    tabs/          one file per tab: synthesis (stage.py on its left, controls.py on its right), compare, runs, map
    offer.py       interrupted runs, to go on with        guide.py       a run that stops and says what to look at
    tray.py        long work that goes on
    session.py     who the visitor is, which run is on the stage; errors as toasts
    start.py       starting runs                          jobs.py        the queue of a shared server
    views.py       a job or a run as the page shows it    comparison.py  several runs, begun one after another
    map_data.py, map_query.py   what the map shows and is asked   api.py   the same for programs, over HTTP
    settings_panel.py, stage.py   the two sides of the first tab
    player.py, plots.py, widgets.py, theme.py, web/       what draws     texts/  the teaching texts
    preload.py     loads PyTorch in the background

Nothing here computes on tensors, and importing it does not import torch. Importing `app` alone does not even import Gradio.
"""
