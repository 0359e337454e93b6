"""torch_checkpointing: a CheckpointManager with synchronous saves (its asynchronous staging is made for CUDA).

Without O_DIRECT, its default: with it a save whose last block is not whole fails on ext4 (EINVAL).
"""

import json
import os

import contender
import torch
from torch_checkpointing import CheckpointManager
from torch_checkpointing.storage.filesystem import LocalFileSystemStorageConfig


class TorchCheckpointing:
    def __init__(self, variant):
        config = CheckpointManager.Config.with_sync_save()
        config.storage_config = LocalFileSystemStorageConfig(use_direct_io=False)
        self.manager = config.build()

    def load(self, path, device):
        # The caller brings the tensors: their names and shapes are the caller's, not the file's.
        with open(path + ".shapes") as file:
            state = {name: torch.empty(shape, dtype=getattr(torch, dtype), device=device)
                     for name, dtype, shape in json.load(file)}
        self.manager.load(path, into={"model": state})
        return state

    def save(self, tensors, path):
        shapes = [(name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)) for name, tensor in tensors.items()]
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path + ".shapes", "w") as file:
            json.dump(shapes, file)
        self.manager.save(path, {"model": tensors})


contender.run(TorchCheckpointing)
