"""The same run with what Python has for it.

    torch_training.py CONTENDER save|resume MIB FILE

CONTENDER: torch-python, torch-python-mmap, dcp, torchsnapshot, torch-checkpointing. With torch-python-mmap the moments
stay mapped pages of the file: the time contains touching them, so that every contender ends with all bytes in memory.
"""

import json
import os
import sys
import time
import warnings

import torch

warnings.filterwarnings("ignore")


def make(mib):
    layers = [torch.nn.Linear(1024, 1024, bias=False) for _ in range(max(mib // 12, 1))]
    model = torch.nn.Sequential(*layers)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3)


def make_moments(model, adam, value=None):
    for parameter in model.parameters():
        adam.state[parameter] = {
            "step": torch.tensor(10.0),
            "exp_avg": torch.rand_like(parameter) if value is None else torch.full_like(parameter, value),
            "exp_avg_sq": torch.rand_like(parameter) if value is None else torch.full_like(parameter, value),
        }


def peak_rss():
    """Not getrusage's: that one starts with the parent's."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def sync(path):
    """fsync of what was written and of its folder, as Ingot's commit does."""
    paths = [path, os.path.dirname(path) or "."]
    for folder, _, files in os.walk(path):
        paths += [folder, *(os.path.join(folder, name) for name in files)]
    for name in paths:
        descriptor = os.open(name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


class TorchPython:
    needs_moments = False  # whether a resume fills moments that are there

    def __init__(self, mmap=False):
        self.mmap = mmap

    def save(self, model, adam, path):
        torch.save({"model": model.state_dict(), "adam": adam.state_dict()}, path)

    def resume(self, model, adam, path):
        state = torch.load(path, mmap=self.mmap, weights_only=True)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        if self.mmap:
            for entry in adam.state.values():
                for tensor in entry.values():
                    tensor.view(-1)[:: 4096 // 4].sum()


class Dcp:
    needs_moments = True

    def __init__(self):
        import torch.distributed.checkpoint
        from torch.distributed.checkpoint import state_dict

        self.dcp, self.state_dict = torch.distributed.checkpoint, state_dict

    def save(self, model, adam, path):
        state, optimizer = self.state_dict.get_state_dict(model, adam)
        writer = self.dcp.FileSystemWriter(path, thread_count=len(os.sched_getaffinity(0)), sync_files=True)
        self.dcp.save({"model": state, "adam": optimizer}, storage_writer=writer, no_dist=True)

    def resume(self, model, adam, path):
        state, optimizer = self.state_dict.get_state_dict(model, adam)
        both = {"model": state, "adam": optimizer}
        self.dcp.load(both, storage_reader=self.dcp.FileSystemReader(path), no_dist=True)
        self.state_dict.set_state_dict(model, adam, model_state_dict=both["model"], optim_state_dict=both["adam"])


class Torchsnapshot:
    needs_moments = True

    def __init__(self):
        from torchsnapshot import Snapshot

        self.snapshot = Snapshot

    def save(self, model, adam, path):
        self.snapshot.take(path, {"model": model, "adam": adam})

    def resume(self, model, adam, path):
        self.snapshot(path).restore({"model": model, "adam": adam})


class TorchCheckpointing:
    needs_moments = True

    def __init__(self):
        from torch_checkpointing import CheckpointManager
        from torch_checkpointing.storage.filesystem import LocalFileSystemStorageConfig

        config = CheckpointManager.Config.with_sync_save()
        # With O_DIRECT, its default, a save whose last block is not whole fails on ext4.
        config.storage_config = LocalFileSystemStorageConfig(use_direct_io=False)
        self.manager = config.build()

    def save(self, model, adam, path):
        self.manager.save(path, {"model": model.state_dict(), "adam": adam.state_dict()})

    def resume(self, model, adam, path):
        state = {"model": model.state_dict(), "adam": adam.state_dict()}
        self.manager.load(path, into=state)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])


CONTENDERS = {
    "torch-python": TorchPython,
    "torch-python-mmap": lambda: TorchPython(mmap=True),
    "dcp": Dcp,
    "torchsnapshot": Torchsnapshot,
    "torch-checkpointing": TorchCheckpointing,
}


def total(model, adam):
    """What a resume must end with: the same tensors in the same order have the same sum."""
    moments = [tensor for entry in adam.state.values() for tensor in (entry["exp_avg"], entry["exp_avg_sq"])]
    return sum(float(tensor.double().sum()) for tensor in [*model.parameters(), *moments])


def main():
    contender, command, mib, path = CONTENDERS[sys.argv[1]](), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    torch.manual_seed(1)
    with torch.no_grad():
        model, adam = make(mib)
        if command == "save" or contender.needs_moments:
            make_moments(model, adam, None if command == "save" else 0.0)
        if command == "resume":
            for parameter in model.parameters():
                parameter.zero_()
        begin = time.perf_counter()
        if command == "save":
            contender.save(model, adam, path)
            sync(path)
        else:
            contender.resume(model, adam, path)
        seconds = time.perf_counter() - begin
        peak, proof = peak_rss(), total(model, adam)
        if command == "save":
            with open(path + ".total", "w") as file:
                json.dump(proof, file)
        elif proof != json.load(open(path.replace("-mmap", "") + ".total")):
            sys.exit("what was resumed is not what was saved")
    out = {
        "seconds": seconds,
        "bytes_per_second": max(mib // 12, 1) * 12 * 2**20 / seconds,
        "peak_rss_bytes": peak,
    }
    print(json.dumps(out))


main()
