"""What is measured in each group, in words: its title, and what holds for all of its contenders."""

ON_A_TINY_FILE = "Before its clock starts each contender has done the whole command on a tiny file of its own format."
TOLD = "What a library wants to be told (shapes and dtypes of what it fills) is handed to it outside of the time."
TOUCHED = ("Mapped files are touched page by page, inside the time, by the same native code for all; where the tensors are "
           "is gathered outside of it.")
DIRECT = ("`fastsafetensors` and `runai` read by O_DIRECT unless told otherwise; where their documentation has a buffered "
          "way, it is measured beside.")
COLD = ("Cold is what this machine's page cache holds nothing of; where it is a virtual one, its host's cache is not "
        "excluded.")
PEAK = ("The peak of the resident set is set back just before the clock starts; a peer's holds its interpreter and torch, "
        "about 0.2 GiB.")

GROUPS = {
    "open": (
        "Open and validate",
        "Page cache warm. Ceiling: XXH3-128 and FlatBuffers' Verifier over the same index bytes, already in private "
        "memory. Open also reads the index into private memory, hashes the digest table and checks every rule of the "
        "format; the parts are measured alone."),
    "lookup": (
        "Look up by name",
        "All names once, in random order, one thread. Ceiling: hash the name, then two dependent cache misses in tables as "
        "large. `p50` and `p99` come from a pass that times each look-up alone and contain the cost of reading the clock "
        "(`clock`)."),
    "verify-warm": (
        "Verify, warm",
        "Every byte hashed and compared, file in the page cache (`mincore`), to which read(2) brought it, anew for every "
        "round: pages that came there in small pieces take longer to map. `ingot` is what the command does "
        "(ReadPath::kFastest while a BusGuard lives), `ingot-read` what verify() does unless told otherwise and without a "
        "guard. Rates, the ceiling's too, are of the whole file. Ceiling: the same mapped bytes read and summed in 64-bit "
        "words by as many threads, pages already mapped. `map-only`: the page tables of a mapping are made, and nothing is "
        "read; `read-only`: read(2) alone, into 1 MiB a thread; `xxh3-mapped`: XXH3 over pages that are mapped, "
        "`xxh3-private`: over huge pages of private memory; `metadata`: a file of the same tensors without bytes is "
        "verified."),
    "verify-cold": (
        "Verify, cold",
        f"Nothing of the file in the page cache (`fsync`, `posix_fadvise(DONTNEED)`, then `mincore`). {COLD} `ingot` and "
        "`ingot-read` as before: the command finds nothing in the page cache and takes O_DIRECT, the defaults read(2). "
        "Rates are of the whole file. Ceiling: the best of six sequential O_DIRECT reads by io_uring. `metadata`: a file "
        "of the same tensors without bytes is verified; `direct-read+xxh3`: reads of 1 MiB, 32 in flight, each hashed as "
        "it arrives, one thread, none of Ingot's code."),
    "load-warm": (
        "Load to host memory, warm",
        "Every tensor brought to memory that is there and touched, file in the page cache, every byte hashed on the way "
        "(`unverified`: none). `in-place`: each tensor to memory of its own; `staged`: through a ring of slots, as to an "
        "accelerator; others to one slab. Ingot's rates, and memcpy's, are of the tensors' bytes; those of parts are of "
        "the whole file, with padding and index. Ceiling: memcpy of as many bytes (at most 1 GiB at a time) by as many "
        "threads. `read-only`: read(2) of the file's bytes to their places by as many threads; `read+xxh3`: each block "
        "hashed by the thread that read it."),
    "load-cold": (
        "Load to host memory, cold",
        f"The same, nothing of the file in the page cache. {COLD} Ingot's rates are of the tensors' bytes; the ceiling's "
        "and the parts' of the whole file, with padding and index. Ceiling: the best of six sequential O_DIRECT reads by "
        "io_uring, to memory that is used again and again. `direct-read-into-place`: such a read to memory as large as the "
        "file, each byte to its own place; `direct-read+copy`: to memory that is used again, and from there to its place, "
        "by one thread, `direct-read+copy+xxh3`: hashed there as well."),
    "save": (
        "Durable save",
        "From bytes in memory to a file that survives a power cut: digests, data, fsync of file and folder. Ceiling: the "
        "best of six O_DIRECT writes of the same bytes into a reserved file, with the same fsyncs, straight out of the "
        "caller's memory and without digests. Rates are of the tensors' bytes, the ceiling's of whole sectors of them. "
        "`plan+index`: what comes before the first byte can be written, Writer::create() alone: plan, layout, index and "
        "its proof, reservation; `metadata`: a whole durable save of as many tensors of the same names without bytes (a "
        "file is made, its index written, both fsyncs, the rename); `2*xxh3+memcpy`: every byte is hashed, copied and "
        "hashed, nothing written; `2*xxh3+memcpy+direct-write`: the same by the one thread that also writes, in blocks of "
        "4 MiB, up to 12 in flight, with the ceiling's fsyncs; plain code."),
    "peers-open": (
        "Open, against other libraries",
        f"Each contender in a fresh process that times itself, in turn; page cache warm. {ON_A_TINY_FILE} Ingot is called "
        "from C++ and the peers from Python, as their documentation has it; the start of the interpreter is not counted. "
        "The clock is around the open alone: that the tensors are counted, and what was opened closed, comes after it. "
        "Ingot's open checks digests and structure, safetensors parses its header, torch unpickles and makes every tensor. "
        "Ceiling: XXH3-128 and FlatBuffers' Verifier over Ingot's index, in private memory. `open-read-index` and "
        "`open-validate-index`: parts of Ingot's open, in a fresh process as well."),
    "peers-describe": (
        "Open and list every tensor, against other libraries",
        "As before, and the name, dtype and shape of every tensor are looked at. The peers do it in Python, Ingot in C++: "
        "that is part of the difference."),
    "peers-one": (
        "Open and read one tensor, against other libraries",
        "As before, and the bytes of one tensor, by name, are summed."),
    "peers-view": (
        "Open and view every tensor, against other libraries",
        "As before, and a tensor or view over the mapped bytes is made of each; no data is read. Views are unverified, on "
        "all sides."),
    "peers-load": (
        "Load every byte to host memory, warm, against other libraries",
        "All bytes resident at the end, proven by a sum over every tensor outside of the time. Page cache warm before each "
        f"call (`mincore`); memory is made inside the time. {ON_A_TINY_FILE} {TOLD} {TOUCHED} `ingot` proves every byte as "
        "it reads and `ingot-mapped-verified` every byte of the mapped file before it is used; `ingot-unverified` and "
        "`ingot-mapped` prove nothing; of the peers only `tensorizer-verified` does. `ingot-mapped`, "
        "`ingot-mapped-verified`, `safetensors`, `torch`, `ztensor` and `gguf` leave the bytes in the page cache, which "
        "whoever writes to the file changes too; the others make a copy, `ingot` among them. Like with like: beside those "
        "that only map stands `ingot-mapped-verified`, beside `ingot` those that own their bytes, of mapping libraries "
        "`safetensors-mmap-owned`, `torch-mmap-owned` and `ztensor-owned`, which copy each tensor out of the mapping. "
        f"Rates are of the tensors' bytes, on all sides. {DIRECT} {PEAK} Before each round every file is put out of the "
        "page cache and read in again: how fast pages are mapped depends on how they came there. Ceiling: memcpy between "
        "memory that is there, by as many threads as there are processors."),
    "peers-load-cold": (
        "Load every byte to host memory, cold, against other libraries",
        f"The same, nothing of the file in the page cache before each call (`mincore`). {COLD} Ceiling: the best of six "
        "sequential O_DIRECT reads of Ingot's file, whose rate is of the whole file."),
    "peers-verify": (
        "Verify every byte, against other libraries",
        "Open and prove the whole file, page cache warm; `ingot`: verify() with its defaults. Of the peers zTensor alone "
        "has such a call. Rates are of the tensors' bytes. Ceiling: XXH3 over as many bytes of memory that is there, by as "
        "many threads as there are processors."),
    "peers-gpu": (
        "Load to a GPU, warm, against other libraries",
        "All bytes in device memory, proven by a sum over every tensor outside of the time. Each in a fresh process, Ingot "
        f"as the peers: open and allocation are inside the time. {ON_A_TINY_FILE} {TOLD}"),
    "peers-gpu-cold": (
        "Load to a GPU, cold, against other libraries",
        f"The same, nothing of the file in the page cache. {COLD}"),
    "peers-save": (
        "Durable save, against other libraries",
        "The same tensors from memory, each in memory of its own, fsync of what was written and of its folder on all "
        f"sides; rates are of the tensors' bytes. {ON_A_TINY_FILE} Ingot computes digests of 128 bits, zTensor of 64, "
        "tensorizer SHA-256 and CRC-32; torch a CRC-32, or none where it says so; the others none. Ceiling: the best of "
        "six O_DIRECT writes of the same bytes, with fsync. What was saved in the first round is loaded and compared, "
        "outside of the time."),
    "training-save": (
        "Durable save of a training run",
        "A model and its Adam state (a third each: parameters and two moments) through LibTorch, each contender in a fresh "
        "process, fsync of file and folder on all sides. `torch-python-no-crc32` leaves out the CRC-32 that torch.save "
        "computes unless told otherwise; libtorch's own archive (`torch-cpp`) cannot. Ceiling: the best of six O_DIRECT "
        "writes of as many bytes, with fsync. `2*xxh3+memcpy+direct-write`: such a write by plain code that hashes, copies "
        "and hashes every byte first."),
    "training-stall": (
        "Async save",
        "How long `save_async()` holds the training up while it copies what it will write, and how long until the file is "
        "durable; tensors of 4 MiB in host memory. `ingot-first` is the first save of a process, which makes all of its "
        "snapshot's memory; `ingot` a later one, whose memory the allocator may still have. Ceiling: a copy of the same "
        "bytes to memory that is there, in the same process; `copy-anew`: to new memory, by LibTorch alone. (From a GPU: `scripts/gpu-check`.)"),
    "training-resume": (
        "Resume of a training run",
        "Into a model and an optimizer that are there, page cache warm, until all bytes are in memory. All begin with "
        "zeros, and a total over every parameter and moment, outside of the time, proves of each contender that it ends "
        "with what its own save has stored. Ingot proves every byte before anything changes, and again as it reads; the "
        "others check nothing. `torch-python-mmap-owned` copies what it takes out of the mapped file, so that it owns it "
        "as Ingot does; `torch-python-mmap` leaves the moments in the mapped file; the first step of the optimizer then "
        "copies them page by page, after the time that is measured here. `fresh-memory`: memory for the moments is made "
        "and touched, two thirds of the bytes. Ceiling: copying as many bytes between memory that is there, two threads."),
}
