"""Doubles of the outside services: real HTTP servers on loopback that speak each provider's protocol.

They count calls per idempotency key (else per body), bill by their own price table, and can be told to fail at the
Nth call, to answer and then drop the line, or to be slow. By hand: `python -m tests.support.providers`.
"""
