"""Ports for servers that are started by other processes or more than once."""

from __future__ import annotations

import random
import socket

RANGE = range(20_000, 30_000)
"""Below the ports that systems give to outgoing connections: none of those can take it before it is listened on."""


def free_port() -> int:
    """A port of the loopback interface on which nobody listens."""
    for port in random.sample(RANGE, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("a hundred ports were tried and all are taken")
