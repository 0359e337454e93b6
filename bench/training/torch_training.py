"""The same run with what Python has for it.

    torch_training.py CONTENDER save|resume MIB FILE

CONTENDER: torch-python, torch-python-no-crc32, torch-python-mmap, torch-python-mmap-owned, dcp, torchsnapshot,
torch-checkpointing. no-crc32 saves without the zip records' CRC-32. With mmap the moments stay mapped pages of the file:
the time contains touching them, so that every contender ends with all bytes in memory; with mmap-owned, cloning them.

A save writes FILE.total, one number of all that it saved, outside of the time; a resume begins with zeros, and what does
not end with the same number is an error. Everyone saves and resumes a tiny run before, FILE.tiny.
"""

import gc
import json
import os
import pathlib
import shutil
import sys
import time
import warnings

import torch

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "compare"))
import process  # noqa: E402
import tensors as data  # noqa: E402

warnings.filterwarnings("ignore")


def layers_in(mib):
    """Of 4 MiB, so 12 MiB with their moments; one at least."""
    return max(mib // 12, 1)


def make(mib):
    model = torch.nn.Sequential(*(torch.nn.Linear(1024, 1024, bias=False) for _ in range(layers_in(mib))))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3)


def make_moments(model, adam):
    """What a training step would leave behind."""
    for parameter in model.parameters():
        adam.state[parameter] = {"step": torch.tensor(10.0), "exp_avg": torch.rand_like(parameter),
                                 "exp_avg_sq": torch.rand_like(parameter)}


def zero(model, adam):
    """So that a resume that brings nothing is noticed."""
    for tensor in [*model.parameters(), *(tensor for entry in adam.state.values() for tensor in entry.values())]:
        tensor.zero_()


class TorchPython:
    needs_moments = False  # whether a resume fills moments that are there

    def __init__(self, mmap=False, owned=False, crc32=True):
        self.mmap, self.owned = mmap, owned
        torch.serialization.set_crc32_options(crc32)

    def save(self, model, adam, path):
        torch.save({"model": model.state_dict(), "adam": adam.state_dict()}, path)

    def resume(self, model, adam, path):
        state = torch.load(path, mmap=self.mmap, weights_only=True)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        if self.mmap:  # the moments are the mapped ones; parameters were copied
            for entry in adam.state.values():
                for name, tensor in entry.items():
                    if self.owned:
                        entry[name] = tensor.clone()
                    else:
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
    "torch-python-no-crc32": lambda: TorchPython(crc32=False),
    "torch-python-mmap": lambda: TorchPython(mmap=True),
    "torch-python-mmap-owned": lambda: TorchPython(mmap=True, owned=True),
    "dcp": Dcp,
    "torchsnapshot": Torchsnapshot,
    "torch-checkpointing": TorchCheckpointing,
}


def total(model, adam):
    """One number of all parameters, steps and moments, in their order: equal for equal bytes."""
    sums = [data.sum_words(parameter) for parameter in model.parameters()]
    for parameter in model.parameters():
        entry = adam.state.get(parameter, {})
        sums += [data.sum_words(entry[name]) for name in ("step", "exp_avg", "exp_avg_sq") if name in entry]
    return data.proof_of(sums)


def warm_up(contender, path):
    """The first call into a library in a process pays for page faults in its code. What is freed here is taken again by
    the run that is made next, not by the call that is measured."""
    tiny = path + ".tiny"
    model, adam = make(0)
    make_moments(model, adam)
    contender.save(model, adam, tiny)
    process.sync(tiny)
    contender.resume(model, adam, tiny)
    shutil.rmtree(tiny) if os.path.isdir(tiny) else os.remove(tiny)
    os.sync()  # the next fsync must not pay for these files


def measured(mib, call):
    """What a call cost: its time, and the peak of the resident set during it."""
    gc.collect()
    process.reset_peak_rss()
    begin = time.perf_counter()
    call()
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "bytes_per_second": layers_in(mib) * 12 * 2**20 / seconds, "peak_rss_bytes": process.peak_rss()}


def save(contender, mib, path):
    model, adam = make(mib)
    make_moments(model, adam)

    def durably():
        contender.save(model, adam, path)
        process.sync(path)

    out = measured(mib, durably)
    pathlib.Path(path + ".total").write_text(total(model, adam))
    return out


def resume(contender, mib, path):
    model, adam = make(mib)
    if contender.needs_moments:
        make_moments(model, adam)
    zero(model, adam)
    out = measured(mib, lambda: contender.resume(model, adam, path))
    if total(model, adam) != pathlib.Path(path + ".total").read_text():
        sys.exit("what was resumed is not what was saved")
    return out


def main():
    contender, command, mib, path = CONTENDERS[sys.argv[1]](), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    torch.manual_seed(1)
    with torch.no_grad():
        warm_up(contender, path)
        print(json.dumps({"save": save, "resume": resume}[command](contender, mib, path)))


main()
