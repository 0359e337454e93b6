"""The targets: this list is where they are set, docs/performance.md shows each with its verdict. Standard library only.

A target that needs a GPU is judged from bench/gpu.py's result (gpu_report.py). A "stand-in" is what a machine without one
can show of the same code.

`reasons` say why a target falls short (reasons.py). Each names parts that are measured alone in the same group and shape,
and the report computes what they leave unexplained; where one was not measured, it gives no reason. Whoever changes the
code behind one measures again.
"""

from judge import AtMostTimes, CostOfProof, CostOfProofApart, FasterThan, Lookup, Resident, ShareOfCeiling
from reasons import OneAfterAnother, PlainCost, SameWork

# Open and look-up have their targets at 100,000 tensors; other sizes are in the tables.
HUNDRED_THOUSAND = r"small-100000"
STREAM = "stream() of a LoadPlan into one slab, its defaults"
VERIFY_COMMAND = "verify() by ReadPath::kFastest while a BusGuard lives: what `ingot verify` does"
VERIFY_DEFAULTS = "verify(), its defaults, no BusGuard: read(2)"
WRITER = "Writer, its defaults"
LIBTORCH_SAVE = "libtorch::save(), its defaults"
LIBTORCH_ASYNC = "libtorch::save_async(), its defaults"

# The ceiling writes out of the caller's memory and proves nothing.
PROVEN_WRITE = SameWork(
    "`2*xxh3+memcpy+direct-write`: as many writes of the same size as Ingot's, from slots, each block hashed, copied and "
    "hashed before by the one thread that writes, without any of Ingot's code.",
    ("2*xxh3+memcpy+direct-write",), one_thread=True)
PROVEN_READ = SameWork(
    "The ceiling is the best of six. `direct-read+xxh3`: as many reads of the same size as Ingot's, each block hashed as "
    "it arrives by the one thread that reads, without any of Ingot's code.", ("direct-read+xxh3",), one_thread=True)
METADATA_FIRST = OneAfterAnother(
    "Header, tables and index are read and compared first, with nothing else in flight (`metadata`); then reads, each "
    "block hashed as it arrives (`direct-read+xxh3`).", ("metadata", "direct-read+xxh3"))
BY_READ = {
    "small": OneAfterAnother(
        "The work on 100,000 descriptions (`metadata`) comes first; then read(2) (`read-only`), and hashing out of the "
        "processor's cache, which no part shows.", ("metadata", "read-only")),
    "": OneAfterAnother(
        "It reads by read(2), 1 MiB a thread (`read-only`), and hashes what it has read out of the processor's cache, "
        "which no part shows.", ("read-only",)),
}

TARGETS = [
    AtMostTimes(
        path="open + validate", text="<= 3x the ceiling", group="open", shape=HUNDRED_THOUSAND, limit=3.0,
        call="Checkpoint::open(), in a loop",
        reasons={
            "": OneAfterAnother(
                "The index is read into private memory (`read-index`), then held against the rules of the format "
                "(`validate-index`), of which the ceiling is a part.", ("read-index", "validate-index")),
        }),
    FasterThan(
        path="open + validate", text=">= 20x safetensors", group="peers-open", shape=HUNDRED_THOUSAND, peers=["safetensors"],
        factor=20.0, call="Checkpoint::open(), in a fresh process",
        reasons={
            "": OneAfterAnother(
                "In a fresh process every page of the index's copy is new to it (`open-read-index`); then come the rules "
                "of the format (`open-validate-index`).", ("open-read-index", "open-validate-index")),
        }),
    FasterThan(
        path="open + validate", text=">= 50x torch.load(mmap)", group="peers-open", shape=HUNDRED_THOUSAND, peers=["torch"],
        factor=50.0, call="Checkpoint::open(), in a fresh process"),
    Lookup(
        path="look up by name", text="<= 300 ns, no allocation", group="lookup", shape=HUNDRED_THOUSAND, limit_ns=300.0,
        call="Checkpoint::find(name)"),
    ShareOfCeiling(
        path="verify, warm", text=">= 90 % of the ceiling", group="verify-warm", percent=90.0, call=VERIFY_COMMAND,
        reasons={
            "small": OneAfterAnother(
                "The work on 100,000 descriptions (`metadata`), among it the proof that the index is canonical, comes "
                "first; then page tables (`map-only`) and hashing (`xxh3-mapped`).",
                ("metadata", "map-only", "xxh3-mapped")),
            "": OneAfterAnother(
                "It makes the mapping's page tables (`map-only`), which the ceiling has behind it when its clock starts, "
                "and hashes (`xxh3-mapped`).", ("map-only", "xxh3-mapped")),
        }),
    ShareOfCeiling(
        path="verify, warm, by default", text=">= 90 % of the ceiling", group="verify-warm", ours="ingot-read",
        percent=90.0, call=VERIFY_DEFAULTS, reasons=BY_READ),
    ShareOfCeiling(
        path="verify, cold", text=">= 90 % of the ceiling", group="verify-cold", percent=90.0, call=VERIFY_COMMAND,
        reasons={"small": METADATA_FIRST, "": PROVEN_READ}),
    ShareOfCeiling(
        path="verify, cold, by default", text=">= 90 % of the ceiling", group="verify-cold", ours="ingot-read",
        percent=90.0, call=VERIFY_DEFAULTS,
        reasons={
            "": SameWork("It reads through the page cache, so that views find the pages there. `read-only`: read(2) of the "
                         "whole file by as many threads, nothing done with it.", ("read-only",)),
        }),
    ShareOfCeiling(
        path="load to host, warm, verified", text=">= 85 % of the ceiling (stand-in)", group="load-warm", percent=85.0,
        call=STREAM,
        reasons={
            "": SameWork(
                "`read+xxh3`: read(2) of the whole file to where it belongs, each block hashed by its thread, by as many "
                "threads, without any of Ingot's code.", ("read+xxh3",)),
        }),
    ShareOfCeiling(
        path="load to host, cold, verified", text=">= 90 % of the ceiling (stand-in)", group="load-cold", percent=90.0,
        call=STREAM,
        reasons={
            "": SameWork(
                "Bytes go to slots and are copied from there by the processors that also hash. `direct-read+copy+xxh3`: "
                "the same by the one thread that reads, without any of Ingot's code.",
                ("direct-read+copy+xxh3",), one_thread=True),
        }),
    CostOfProof(
        path="cost of proving, warm", text="<= 3 % of the time (stand-in)", group="load-warm", percent=3.0,
        call=STREAM + ", against StreamVerify::kNone",
        reasons={
            "": PlainCost(
                "The processors copy and hash by turns. What the same hashing costs plain code lies between `read-only` "
                "and `read+xxh3`.", ("read-only", "read+xxh3")),
        }),
    CostOfProof(
        path="cost of proving, cold", text="<= 3 % of the time (stand-in)", group="load-cold", percent=3.0,
        call=STREAM + ", against StreamVerify::kNone",
        reasons={
            "": PlainCost(
                "The processors that hash also copy, and serve the disk. What the same hashing costs one thread of plain "
                "code lies between `direct-read+copy` and `direct-read+copy+xxh3`.",
                ("direct-read+copy", "direct-read+copy+xxh3")),
        }),
    Resident(
        path="resident set, loading as to a device", text="<= staging + 64 MiB (stand-in)", group="load-warm",
        ours="ingot-staged", slack=64 << 20, call="stream() through staging memory"),
    ShareOfCeiling(
        path="durable save", text=">= 85 % of the ceiling", group="save", percent=85.0, call=WRITER,
        reasons={
            "small": OneAfterAnother(
                "Before the first byte can be written come plan, layout, index and its proof, and the reservation, for all "
                "names (`plan+index`: Writer::create() alone); then the bytes (`2*xxh3+memcpy+direct-write`, by plain "
                "code).",
                ("plan+index", "2*xxh3+memcpy+direct-write")),
            "": PROVEN_WRITE,
        }),
    FasterThan(
        path="durable save", text=">= 2x torch.save + fsync", group="peers-save", peers=["torch", "torch-no-crc32"], factor=2.0,
        call=WRITER + ", in a fresh process"),
    FasterThan(
        path="durable save", text=">= 2x safetensors + fsync", group="peers-save", peers=["safetensors"], factor=2.0,
        call=WRITER + ", in a fresh process"),
    ShareOfCeiling(
        path="durable save of a training run", text=">= 85 % of the ceiling", group="training-save", percent=85.0,
        call=LIBTORCH_SAVE, reasons={"": PROVEN_WRITE}),
    FasterThan(
        path="durable save of a training run", text=">= 2x torch.save + fsync", group="training-save",
        peers=["torch-cpp", "torch-python", "torch-python-no-crc32"], factor=2.0, call=LIBTORCH_SAVE,
        reasons={"": PROVEN_WRITE}),
    AtMostTimes(
        path="async save", text="<= 1.2x a copy of the same bytes to host memory (stand-in)", group="training-stall", limit=1.2,
        call=LIBTORCH_ASYNC + ": a later save of a process"),
    AtMostTimes(
        path="async save, the first", text="<= 1.2x a copy of the same bytes to host memory (stand-in)",
        group="training-stall", ours="ingot-first", limit=1.2,
        call=LIBTORCH_ASYNC + ": a process's first save, whose snapshot's memory is new",
        reasons={"": SameWork("`copy-anew`: the same tensors copied to new memory by LibTorch alone.", ("copy-anew",))}),
    ShareOfCeiling(
        path="stream to GPU, warm, verified", text=">= 90 % of pinned copies, 256 MiB pinned", group="gpu-load-warm",
        percent=90.0, call=STREAM),
    ShareOfCeiling(
        path="stream to GPU, cold, verified", text=">= 90 % of the storage's O_DIRECT reads", group="gpu-load-cold",
        percent=90.0, call=STREAM),
    CostOfProofApart(
        path="cost of verifying, GPU, warm", text="<= 3 % of the time", group="gpu-load-warm", percent=3.0,
        call=STREAM + ", against StreamVerify::kNone"),
    CostOfProofApart(
        path="cost of verifying, GPU, cold", text="<= 3 % of the time", group="gpu-load-cold", percent=3.0,
        call=STREAM + ", against StreamVerify::kNone"),
    ShareOfCeiling(
        path="digest kernel on the GPU", text=">= 50 % of the memory's bandwidth", group="gpu-digest", shape="chunks-1MiB",
        percent=50.0, call="Device::digest() of chunks of 1 MiB, as files have them"),
    AtMostTimes(
        path="async save from a GPU", text="<= 1.2x a copy of the same bytes to pinned memory", group="gpu-stall", limit=1.2,
        call=LIBTORCH_ASYNC),
    Resident(
        path="resident set, streaming to a GPU", text="<= pinned memory + 64 MiB", group="gpu-load-warm", slack=64 << 20,
        call=STREAM),
]
