"""A warm child that gives requests back, for tests: `{"text": …}` → the text as bytes; `{"die": true}` ends it."""

import os
import sys
from typing import Any

from adapters.warm_child import answers_line, serve


def echo(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    if request.get("die"):
        os._exit(3)
    print("noise that must not reach the answers")  # noqa: T201  the point of the test
    return {"pid": os.getpid()}, request["text"].encode()


if __name__ == "__main__":
    serve(sys.stdin.buffer, answers_line(), echo)
