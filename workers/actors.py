"""The actors: a ticket wakes a slot, and the slot asks the database what to do."""

from __future__ import annotations

import uuid

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from adapters.queue.names import pool_queue
from workers.slots import Slots


def declare_slot(broker: RedisBroker, pool: str, slots: Slots) -> dramatiq.Actor[..., None]:
    """Declare the actor of a pool. Its messages carry a pool and a nonce, nothing else.

    What a newer or older program adds or leaves out does not matter: a ticket only wakes.
    """

    def slot(pool: str, *_said: object, **_more: object) -> None:
        if slots.work(pool) and not slots.draining:
            send_ticket(broker, pool)

    # Retries and time limits are middleware that our broker does not have: a ticket is never worth a second try.
    return dramatiq.actor(actor_name=f"slot.{pool}", queue_name=pool_queue(pool), broker=broker)(slot)


def send_ticket(broker: RedisBroker, pool: str) -> None:
    """Put one wake-up into a pool's queue."""
    broker.enqueue(
        dramatiq.Message(
            queue_name=pool_queue(pool),
            actor_name=f"slot.{pool}",
            args=(pool, uuid.uuid4().hex),
            kwargs={},
            options={},
        )
    )


def tickets_waiting(broker: RedisBroker, pool: str) -> int:
    """Count the wake-ups that no worker has fetched yet."""
    return int(broker.client.llen(f"{broker.namespace}:{pool_queue(pool)}"))
