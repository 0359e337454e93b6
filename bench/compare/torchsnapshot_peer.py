"""torchsnapshot: Snapshot.take and Snapshot.restore, into tensors that are there.

With this torch it cuts tensors whose bytes are not a multiple of 8; the shapes that are measured have none.
"""

import contender
import tensors as data
from torchsnapshot import Snapshot, StateDict


class Torchsnapshot:
    def __init__(self, variant):
        pass

    def expect(self, entries):
        self.entries = entries

    def load(self, path, device):
        state = StateDict(**data.empty(self.entries, device))
        Snapshot(path).restore({"model": state})
        return dict(state)

    def save(self, tensors, path):
        Snapshot.take(path, {"model": StateDict(**tensors)})


contender.run(Torchsnapshot)
