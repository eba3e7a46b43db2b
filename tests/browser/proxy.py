"""A reverse proxy, as a web server's that puts the page beside others, below a path of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.conftest import free_port

HOP = {"connection", "content-length", "transfer-encoding", "host"}
"""Headers that are of one connection only."""


@contextmanager
def below(path: str, page: str) -> Iterator[str]:
    """Serves the page at the address `page` below `path`, which the page itself never sees; gives the address to visit."""
    port = free_port()
    client = httpx.AsyncClient(base_url=page, timeout=None)

    async def forward(asked: Request) -> StreamingResponse:
        headers = {name: value for name, value in asked.headers.items() if name not in HOP}
        sent = client.build_request(
            asked.method,
            asked.path_params["rest"],
            params=asked.query_params,
            content=await asked.body(),
            headers={**headers, "X-Forwarded-Host": f"127.0.0.1:{port}", "X-Forwarded-Proto": "http"},
        )
        answer = await client.send(sent, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in HOP}
        return StreamingResponse(answer.aiter_raw(), answer.status_code, kept)

    routes = [Route(path + "/{rest:path}", forward, methods=["GET", "POST", "HEAD"])]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}{path}/"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
