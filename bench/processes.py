"""Starts contenders, each call in a fresh process that prints one line of JSON. Standard library only.

An error may say why it need not come again: "stopped", by a limit or a signal, or "transient", for want of room.
"""

import errno
import json
import os
import subprocess
import time

import contenders

LIMIT_SECONDS = 60


def start(command, limit=LIMIT_SECONDS, **environment):
    """The JSON that a command prints, or {"error": ...}."""
    begin = time.monotonic()
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=dict(os.environ, **environment),
                              timeout=limit)
    except subprocess.TimeoutExpired:
        return {"error": f"stopped after {limit} s", "stopped": True}
    process_seconds = time.monotonic() - begin
    if done.returncode != 0:
        return _failure(done.returncode, done.stderr.strip().splitlines())
    # The whole process with the start of its interpreter and imports: stated, never compared.
    return last_line(done.stdout) | {"process_seconds": process_seconds}


def _failure(code, lines):
    answer = {"error": lines[-1] if lines else f"exit code {code}"}
    if os.strerror(errno.ENOSPC) in answer["error"]:
        answer["transient"] = True
    return answer | ({"stopped": True} if code < 0 else {})


def last_line(text):
    """The answer in it: a library may have talked before."""
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        return {"error": f"no answer, but: {text.strip()[-100:]!r}"}


class Runner:
    """Calls a contender by name of its command: Ingot's program, or a peer's script with the peers' interpreter."""

    def __init__(self, build, python):
        self.program, self.python = str(build / "bin" / "bench_compare"), python
        self.touch = str(build / "bin" / "libbench_touch.so")

    def ingot(self, *arguments, limit=LIMIT_SECONDS):
        return start([self.program, *arguments], limit)

    def call(self, contender, command, *arguments, limit=LIMIT_SECONDS):
        if contenders.is_ingot(contender):
            if command == "load":
                command = contender.name.replace("ingot", "load")
            return self.ingot(command, *arguments, limit=limit)
        script = str(contenders.HERE / contender.script)
        return start([str(self.python), "-B", script, contender.variant, command, *arguments], limit, BENCH_TOUCH=self.touch)

    def flips(self, contender, path, plan):
        """The integrity test of one contender, Ingot's with this interpreter."""
        python = "python3" if contenders.is_ingot(contender) else str(self.python)
        script = str(contenders.HERE / contender.script)
        return start([python, "-B", script, contender.variant, "flips", path, plan], limit=None, BENCH_COMPARE=self.program,
                     BENCH_TOUCH=self.touch)
