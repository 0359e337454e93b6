"""torch.distributed.checkpoint in one process: a folder with a pickled .metadata and one file a writing thread."""

import os

import contender
import tensors as data
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint import FileSystemReader, FileSystemWriter


class Dcp:
    def __init__(self, variant):
        self.threads = len(os.sched_getaffinity(0))

    def open(self, path):
        return FileSystemReader(path).read_metadata()

    def count(self, opened):
        return len(opened.state_dict_metadata)

    def expect(self, entries):
        self.entries = entries

    def load(self, path, device):
        state = data.empty(self.entries, device)
        dcp.load(state, storage_reader=FileSystemReader(path), no_dist=True)
        return state

    def save(self, tensors, path):
        writer = FileSystemWriter(path, thread_count=self.threads, sync_files=True)
        dcp.save(tensors, storage_writer=writer, no_dist=True)


contender.run(Dcp)
