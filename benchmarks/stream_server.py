"""A server on loopback that answers every request with one prepared stream, and httpx's own way through it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import process_time

_SERVER = """
import asyncio, sys
pieces = open(sys.argv[1], "rb").read().split(b"\\0")
BODY = [b"%x\\r\\n%s\\r\\n" % (len(p), p) for p in pieces] + [b"0\\r\\n\\r\\n"]
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = [int(l.split(b":")[1]) for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length")]
            await reader.readexactly(length[0] if length else 0)
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-type: %s\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n" % sys.argv[2].encode())
            for i in range(0, len(BODY), 16):
                writer.write(b"".join(BODY[i : i + 16])); await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError): pass
    finally: writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def streaming(pieces: Sequence[str], kind: str = "text/event-stream") -> Iterator[str]:
    """The address of a server that sends these pieces, a chunk each; in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".body") as file:
        file.write(b"\0".join(piece.encode() for piece in pieces))
        file.flush()
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, file.name, kind], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()
            server.wait()


async def raw(url: str) -> float:
    """µs CPU per chunk of httpx's `aiter_raw`."""
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        before, count = process_time(), 0
        async with client.stream("POST", url, json={"stream": True}) as response:
            async for _piece in response.aiter_raw():
                count += 1
        return (process_time() - before) / count * 1e6
