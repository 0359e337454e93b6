"""Ingot in the integrity test: bench_compare loads the damaged file. Standard library only, unlike the other peers.

    ingot_peer.py VARIANT flips FILE PLAN     BENCH_COMPARE is the program

VARIANT: load (its defaults, which prove what is loaded), unverified, mapped, mapped-verified, verified (the whole file).
"""

import json
import os
import subprocess
import sys

import flips


class Refused(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.code_name = message.split(":", 1)[0]


def load(path):
    command = f"checked-{sys.argv[1]}".removesuffix("-load")
    done = subprocess.run([os.environ["BENCH_COMPARE"], command, path], check=False, capture_output=True, text=True)
    if done.returncode < 0:
        os.kill(os.getpid(), -done.returncode)
    if done.returncode:
        raise Refused(done.stderr.strip())
    return json.loads(done.stdout)


print(json.dumps(flips.run(load, *sys.argv[3:])))
