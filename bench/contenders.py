"""Who takes part, in what, and with which settings. Standard library only. How to add one: bench/README.md."""

import dataclasses
import functools
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent / "compare"
INSTALLED = "ingot-peers.json"  # in the peers' environment: what could not be installed (install_peers.py)


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str
    script: str  # in bench/compare
    variant: str
    suffix: str  # of its input; contenders with the same one read the same file
    packages: tuple  # that it needs
    paths: frozenset  # open describe one view load verify save flips gpu
    settings: str  # as its documentation has them at their best; named in the report
    needs_gpu: bool = False
    proves: str = ""  # when it hands out data, it has proven: those "tensors", all of the "file", or nothing


def _peer(name, script, variant, suffix, packages, paths, settings, needs_gpu=False, proves=""):
    return Contender(name, f"{script}_peer.py", variant, suffix, tuple(packages.split()), frozenset(paths.split()), settings,
                     needs_gpu, proves)


INGOT = [
    _peer("ingot", "ingot", "load", "ingot", "", "open describe one view load verify save flips gpu",
          "LoadPlan of one slab, stream() with its defaults: every byte proven on the way; save: Writer with its defaults",
          proves="tensors"),
    _peer("ingot-unverified", "ingot", "unverified", "ingot", "", "load flips", "stream(), StreamVerify::kNone"),
    _peer("ingot-mapped", "ingot", "mapped", "ingot", "", "load flips",
          "Checkpoint::view() of every tensor, every page touched, unverified"),
    _peer("ingot-mapped-verified", "ingot", "mapped-verified", "ingot", "", "load flips",
          "verify(), then Checkpoint::view() of every tensor", proves="file"),
    _peer("ingot-verified", "ingot", "verified", "ingot", "", "flips", "verify() at the full level, then the load",
          proves="file"),
]
PEERS = [
    _peer("safetensors", "safetensors", "mmap", "safetensors", "safetensors torch",
          "open describe one view load save flips gpu", "load_file(backend=\"mmap\"), every page touched; save_file"),
    _peer("safetensors-pread", "safetensors", "pread", "safetensors", "safetensors torch", "load flips gpu",
          "load_file(backend=\"pread\")"),
    _peer("safetensors-mmap-owned", "safetensors", "mmap-owned", "safetensors", "safetensors torch", "load",
          "load_file(backend=\"mmap\"), then clone() of every tensor"),
    _peer("torch", "torch", "mmap", "pt", "torch", "open describe one view load save flips gpu",
          "torch.load(mmap=True, weights_only=True), every page touched; torch.save"),
    _peer("torch-read", "torch", "read", "pt", "torch", "load flips gpu", "torch.load(mmap=False, weights_only=True)"),
    _peer("torch-mmap-owned", "torch", "mmap-owned", "pt", "torch", "load",
          "torch.load(mmap=True, weights_only=True), then clone() of every tensor"),
    _peer("torch-no-crc32", "torch", "no-crc32", "pt", "torch", "save", "torch.save, set_crc32_options(False)"),
    _peer("dcp", "dcp", "plain", "dcp", "torch", "open load save flips",
          "torch.distributed.checkpoint, no_dist, FileSystemReader, into tensors of known shapes that are made in the timed "
          "part; FileSystemWriter with a thread a processor, sync_files"),
    _peer("tensorizer", "tensorizer", "plain", "tensors", "tensorizer torch", "open one load save flips gpu",
          "TensorDeserializer, threads as it chooses, verify_hash=False (its default); TensorSerializer"),
    _peer("tensorizer-verified", "tensorizer", "verified", "tensors", "tensorizer torch", "load flips gpu",
          "TensorDeserializer(verify_hash=True)"),
    _peer("runai", "runai", "plain", "safetensors", "runai-model-streamer safetensors torch", "load flips gpu",
          "SafetensorsStreamer, tensors owned, 16 threads, O_DIRECT (its defaults)"),
    _peer("runai-buffered", "runai", "buffered", "safetensors", "runai-model-streamer safetensors torch", "load flips gpu",
          "the same with RUNAI_STREAMER_FS_STRATEGY=io_uring_buffered,sync_buffered: reads through the page cache"),
    _peer("fastsafetensors", "fastsafetensors", "nogds", "safetensors", "fastsafetensors safetensors torch", "load flips gpu",
          "fastsafe_open(nogds=True), O_DIRECT (its default)"),
    _peer("fastsafetensors-buffered", "fastsafetensors", "buffered", "safetensors", "fastsafetensors safetensors torch",
          "load flips gpu", "the same with FASTSAFETENSORS_ODIRECT=0: reads through the page cache"),
    _peer("ztensor", "ztensor", "plain", "zt", "ztensor torch", "open describe one view load save flips",
          "ztensor.open, torch.from_dlpack, every page touched; Writer(canonical=True, publish=True)"),
    _peer("ztensor-owned", "ztensor", "owned", "zt", "ztensor torch", "load",
          "ztensor.open, torch.from_dlpack, then clone() of every tensor (faster than tobytes(), its own way to copy)"),
    _peer("ztensor-verified", "ztensor", "verified", "zt", "ztensor torch", "verify flips",
          "ztensor.verify(deep=True), then the load"),
    _peer("gguf", "gguf", "plain", "gguf", "gguf torch", "open describe one view load save flips",
          "GGUFReader (mapped), every page touched; GGUFWriter"),
    _peer("torchsnapshot", "torchsnapshot", "plain", "snapshot", "torchsnapshot torch", "load save flips",
          "Snapshot.restore into tensors of known shapes that are made in the timed part; Snapshot.take"),
    _peer("torch-checkpointing", "torch_checkpointing", "plain", "ckpt", "torch_checkpointing torch", "load save flips",
          "CheckpointManager with synchronous save, without O_DIRECT (its own save fails with it on ext4), mmap load, into "
          "tensors of known shapes that are made in the timed part"),
    _peer("instanttensor", "instanttensor", "direct", "safetensors", "instanttensor safetensors torch", "gpu",
          "safe_open(framework=\"pt\", device=N), tensors copied, O_DIRECT (its defaults)", needs_gpu=True),
    _peer("instanttensor-buffered", "instanttensor", "buffered", "safetensors", "instanttensor safetensors torch", "gpu",
          "safe_open(backend=BackendPolicy.BUFFERED), documented for files in the page cache", needs_gpu=True),
]


def named(name):
    return next(contender for contender in INGOT + PEERS if contender.name == name)


def is_ingot(contender):
    return contender.name.startswith("ingot")


@functools.cache
def installed(python):
    """package -> version, of the peers' interpreter."""
    if not python:
        return {}
    code = ("import importlib.metadata as m, json; "
            "print(json.dumps({(d.metadata['Name'] or '').lower().replace('_', '-'): d.version for d in m.distributions()}))")
    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _failed(python):
    """package -> why the installer could not install it."""
    record = pathlib.Path(python).parent.parent / INSTALLED
    return json.loads(record.read_text())["failed"] if record.exists() else {}


def has_gpu():
    return pathlib.Path("/dev/nvidiactl").exists() or pathlib.Path("/dev/kfd").exists()


def why_absent(contender, python, gpu):
    """Why a contender cannot take part here; empty when it can."""
    if is_ingot(contender):
        return ""
    if not python:
        return "no environment with peers was given"
    if contender.needs_gpu and not gpu:
        return "needs a GPU (CUDA or ROCm), and this machine has none"
    missing = [package for package in contender.packages if package.lower().replace("_", "-") not in installed(python)]
    return "; ".join(_failed(python).get(package, f"{package} is not installed") for package in missing)


def present(python, path=""):
    """Those that can run here, in their order; with `path`, those that have it."""
    gpu = has_gpu()
    return [contender for contender in INGOT + PEERS
            if (not path or path in contender.paths) and not why_absent(contender, python, gpu)]


def absent(python):
    """contender -> reason"""
    gpu = has_gpu()
    reasons = {contender.name: why_absent(contender, python, gpu) for contender in PEERS}
    return {name: reason for name, reason in reasons.items() if reason}


def versions(python):
    """package -> version, of all that takes part."""
    have = installed(python)
    wanted = {package.lower().replace("_", "-") for contender in PEERS for package in contender.packages}
    return {package: have[package] for package in sorted(wanted) if package in have}
