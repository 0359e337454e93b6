"""The targets: this list is where they are set, docs/performance.md shows each with its verdict. Standard library only.

A target that needs a GPU is judged from bench/gpu.py's result (gpu_report.py). A "stand-in" is what a machine without one can
show of the same code.

`reasons` say why a target falls short. Each names parts, in backticks, that are measured alone in the same group and shape;
where one of them was not measured, the report gives no reason. Whoever changes the code behind one measures again.
"""

from judge import AtMostTimes, CostOfProof, CostOfProofApart, FasterThan, Lookup, Resident, ShareOfCeiling

# Open and look-up have their targets at 100,000 tensors; other sizes are in the tables.
HUNDRED_THOUSAND = r"small-100000"
STREAM = "stream() of a LoadPlan into one slab, its defaults"
WRITER = "Writer, its defaults"
# The ceiling writes out of the caller's memory and proves nothing.
PROVEN_WRITE = ("As many writes of the same size as Ingot's, from slots, each block hashed, copied and hashed before by the one "
                "thread that writes, without any of Ingot's code, are `2*xxh3+memcpy+direct-write`.")
LIBTORCH_SAVE = "libtorch::save(), its defaults"

TARGETS = [
    AtMostTimes(
        path="open + validate", text="<= 3x the ceiling", group="open", shape=HUNDRED_THOUSAND, limit=3.0,
        call="Checkpoint::open(), in a loop",
        reasons={
            "": "Reading the index to private memory (`read-index`) and the rules of the format (`validate-index`) are what "
                "it takes; the ceiling is a part of the latter.",
        }),
    FasterThan(
        path="open + validate", text=">= 20x safetensors", group="peers-open", shape=HUNDRED_THOUSAND, peers=["safetensors"],
        factor=20.0, call="Checkpoint::open(), in a fresh process",
        reasons={
            "": "In a fresh process every page of the index's copy is new to it: reading the index takes `open-read-index`, the "
                "rules of the format `open-validate-index`.",
        }),
    FasterThan(
        path="open + validate", text=">= 50x torch.load(mmap)", group="peers-open", shape=HUNDRED_THOUSAND, peers=["torch"],
        factor=50.0, call="Checkpoint::open(), in a fresh process"),
    Lookup(
        path="look up by name", text="<= 300 ns, no allocation", group="lookup", shape=HUNDRED_THOUSAND, limit_ns=300.0,
        call="Checkpoint::find(name)"),
    ShareOfCeiling(
        path="verify, warm", text=">= 90 % of the ceiling", group="verify-warm", ours="ingot-mapping", percent=90.0,
        call="verify() by mapping: what `ingot verify` does with a local file, and verify() wherever a BusGuard lives",
        reasons={
            "small": "The work on 100,000 descriptions (`metadata`), among it the proof that the index is canonical, comes "
                     "first; then page tables (`map-only`) and hashing (`xxh3-mapped`).",
            "": "It makes the mapping's page tables (`map-only`), which the ceiling has behind it when its clock starts, and "
                "hashes (`xxh3-mapped`).",
        }),
    ShareOfCeiling(
        path="verify, cold", text=">= 90 % of the ceiling", group="verify-cold", ours="ingot-direct", percent=90.0,
        call="verify() by O_DIRECT: `ingot verify --direct`",
        reasons={
            "small": "Header, tables and index are read and compared first, with nothing else in flight (`metadata`).",
            "": "The ceiling is the best of six; as many reads of the same size as Ingot's, each block hashed as it arrives "
                "by the one thread that reads, without any of Ingot's code, are `direct-read+xxh3`.",
        }),
    ShareOfCeiling(
        path="load to host, warm, verified", text=">= 85 % of the ceiling (stand-in)", group="load-warm", percent=85.0,
        call=STREAM,
        reasons={
            "": "read(2) of the same bytes to the same place, each block hashed by its thread, without any of Ingot's code, "
                "is `read+xxh3`.",
        }),
    ShareOfCeiling(
        path="load to host, cold, verified", text=">= 90 % of the ceiling (stand-in)", group="load-cold", percent=90.0,
        call=STREAM,
        reasons={
            "": "Bytes go to slots and are copied from there by the processors that also hash. Without any of Ingot's code, the "
                "same by the thread that reads is `direct-read+copy+xxh3`; reads straight to the destination, without a proof, "
                "are `direct-read-into-place`.",
        }),
    CostOfProof(
        path="cost of proving, warm", text="<= 3 % of the time (stand-in)", group="load-warm", percent=3.0,
        call=STREAM + ", against StreamVerify::kNone",
        reasons={
            "": "The processors copy and hash by turns. Without any of Ingot's code the same hashing costs what lies between "
                "`read-only` and `read+xxh3`.",
        }),
    CostOfProof(
        path="cost of proving, cold", text="<= 3 % of the time (stand-in)", group="load-cold", percent=3.0,
        call=STREAM + ", against StreamVerify::kNone",
        reasons={
            "": "The processors that hash also copy, and serve the disk. Without any of Ingot's code the same hashing costs what "
                "lies between `direct-read+copy` and `direct-read+copy+xxh3`.",
        }),
    Resident(
        path="resident set, loading as to a device", text="<= staging + 64 MiB (stand-in)", group="load-warm",
        ours="ingot-staged", slack=64 << 20, call="stream() through staging memory"),
    ShareOfCeiling(
        path="durable save", text=">= 85 % of the ceiling", group="save", percent=85.0, call=WRITER,
        reasons={
            "small": "The work on 100,000 names comes before the first byte can be written, since the file's length is known "
                     "only then (`metadata`): plan, checks, index, its proof.",
            "resnet50": "There are many small tensors between large ones: `metadata` is the work on their names, "
                        "`2*xxh3+memcpy` that on every byte.",
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
        peers=["torch-cpp", "torch-python"], factor=2.0, call=LIBTORCH_SAVE, reasons={"": PROVEN_WRITE}),
    AtMostTimes(
        path="async save", text="<= 1.2x a copy of the same bytes to host memory (stand-in)", group="training-stall", limit=1.2,
        call="libtorch::save_async(), its defaults"),
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
        call="libtorch::save_async(), its defaults"),
    Resident(
        path="resident set, streaming to a GPU", text="<= pinned memory + 64 MiB", group="gpu-load-warm", slack=64 << 20,
        call=STREAM),
]
