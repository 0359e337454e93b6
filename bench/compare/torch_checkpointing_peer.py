"""torch_checkpointing: a CheckpointManager with synchronous saves (its asynchronous staging is made for CUDA).

Without O_DIRECT, its default: with it a save whose last block is not whole fails on ext4 (EINVAL).
"""

import os

import contender
import tensors as data
from torch_checkpointing import CheckpointManager
from torch_checkpointing.storage.filesystem import LocalFileSystemStorageConfig


class TorchCheckpointing:
    def __init__(self, variant):
        config = CheckpointManager.Config.with_sync_save()
        config.storage_config = LocalFileSystemStorageConfig(use_direct_io=False)
        self.manager = config.build()

    def expect(self, entries):
        self.entries = entries

    def load(self, path, device):
        state = data.empty(self.entries, device)
        self.manager.load(path, into={"model": state})
        return state

    def save(self, tensors, path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self.manager.save(path, {"model": tensors})


contender.run(TorchCheckpointing)
