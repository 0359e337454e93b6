#!/usr/bin/env python3
"""A second reader of Ingot files, written from docs/format.md alone and laid out in its order.

    ingot_reader.py FILE...     prints each file as one line of JSON; the exit code is that of the
                                first file that is refused (0: none)

It checks every rule, data included, and shares nothing with the C++ but the document. XXH3 comes
from the package `xxhash`; all else is the standard library.

Why it is not shorter: reading a file (header, FlatBuffer, tensors, state tree) takes about 230 lines of
it. About as many check the numbered rules, which a reader that trusts its file would leave out; 40
print the JSON; the rest is comments and blank. ingot_canonical.py, the encoder that F-38 is checked
with, is no part of reading either."""

import hashlib
import json
import struct
import sys

import xxhash

from ingot_canonical import encode_index

EXIT_CODES = {"corrupt": 2, "checksum mismatch": 2, "truncated": 3, "unsupported": 5, "rejected": 6}


class Refused(Exception):
    def __init__(self, rule, what, kind="rejected"):
        super().__init__(f"{kind}: {rule}: {what}")
        self.rule, self.kind = rule, kind


def require(condition, rule, what, kind="rejected"):
    if not condition:
        raise Refused(rule, what, kind)


# ---- Conventions. Python's integers do not wrap; what must fit in 63 or 64 bits is compared.

PAGE = 4096


def align_up(x, a):
    return -(-x // a) * a


def ceil_div(x, y):
    return -(-x // y)


def xxh3_128(data):
    number = xxhash.xxh3_128_intdigest(data)
    return struct.pack("<QQ", number & (2**64 - 1), number >> 64)


def hex_digest(stored):  # the high half first, as xxh128sum prints it
    return stored[::-1].hex()


# ---- Header

MAGIC = b"\x89ING\r\n\x1a\n"
HEADER = struct.Struct("<8sHHIQQQQQQ16sQQ16sIIQ16s16s16s32s")
FIELDS = ("magic major minor header_bytes required_features optional_features file_bytes data_end "
          "digests_offset digests_bytes digests_digest index_offset index_bytes index_digest "
          "chunk_log2 alignment_log2 reserved0 uuid save_id root root_sha256").split()
SHA256_COLUMN = 1  # optional feature bit 0


class Header:
    def __init__(self, page):
        self.page = page
        self.__dict__.update(zip(FIELDS, HEADER.unpack_from(page)))
        self.has_sha256 = bool(self.optional_features & SHA256_COLUMN)
        self.entry_bytes = 48 if self.has_sha256 else 16
        self.chunks = self.digests_bytes // self.entry_bytes


def check_header(page):
    require(page[:8] == MAGIC, "F-01", "no magic", "corrupt")
    require(page[4080:] == xxh3_128(page[:4080]), "F-02", "header digest differs", "corrupt")
    h = Header(page)
    require(h.major == 1, "F-03", f"major version {h.major}", "unsupported")
    require(h.required_features == 0, "F-04", f"features {h.required_features:#x}", "unsupported")
    require(h.header_bytes == PAGE, "F-06", "header length")
    if h.minor == 0:
        require(not any(page[120:128]) and not any(page[208:4080]), "F-07", "reserved bytes")
    require(16 <= h.chunk_log2 <= 30, "F-08", "chunk_log2")
    require(12 <= h.alignment_log2 <= 21, "F-09", "alignment_log2")
    require(h.data_end >= PAGE, "F-10", "data_end")
    require(h.digests_bytes % h.entry_bytes == 0, "F-11", "digests_bytes")
    require(8 <= h.index_bytes <= 2**31 - 2, "F-12", "index_bytes")
    require(h.digests_offset == align_up(h.data_end, PAGE), "F-13", "digests_offset")
    require(h.index_offset == align_up(h.digests_offset + h.digests_bytes, PAGE), "F-13", "index_offset")
    require(h.file_bytes == align_up(h.index_offset + h.index_bytes, PAGE) + PAGE, "F-13", "file_bytes")
    require(h.file_bytes < 2**63, "F-13", "63 bits")
    require(h.root == xxh3_128(page[:160] + bytes(96)), "F-14", "root")
    require(h.has_sha256 == any(h.root_sha256), "F-15", "root_sha256")
    return h


def is_newer(first, last):
    """Both pages name one later major version, and the first is not just this version's, damaged."""
    if first[:10] != last[:10] or first[:8] != MAGIC or struct.unpack_from("<H", first, 8)[0] <= 1:
        return False
    as_version_1 = first[:8] + b"\1\0" + first[10:]
    return as_version_1[4080:] != xxh3_128(as_version_1[:4080])


def read_header(data):
    """The header, and what is wrong with the first page when the last one had to take its place."""
    if len(data) < 2 * PAGE:
        require(data[:8] == MAGIC[: len(data)], "F-01", "no magic", "corrupt")
        raise Refused("F-18", "fewer than two pages", "truncated")
    first, last = data[:PAGE], data[-PAGE:]
    damage = None
    try:
        header = check_header(first)
    except Refused as error:
        if error.rule not in ("F-01", "F-02"):
            raise
        require(not is_newer(first, last), "F-03", "a later version", "unsupported")
        damage, header = error, check_header(last)
    require(len(data) == header.file_bytes, "F-18", f"{len(data)} bytes", "truncated")
    require(damage or first == last, "F-17", "the headers differ", "corrupt")
    return header, damage


# ---- Regions and Digests

def check_padding(data, h, storages):
    begin = PAGE
    ends = [(s["offset"], s["offset"] + s["bytes"]) for s in storages]
    ends += [(h.digests_offset, h.digests_offset + h.digests_bytes),
             (h.index_offset, h.index_offset + h.index_bytes), (len(data) - PAGE, len(data))]
    for next_begin, next_end in ends:
        require(not any(data[begin:next_begin]), "F-19", f"padding before {next_begin}", "corrupt")
        begin = next_end


def check_chunks(data, h, table, storages):
    size, number = 1 << h.chunk_log2, 0
    for storage in storages:
        for begin in range(0, storage["bytes"], size):
            at = storage["offset"] + begin
            chunk = data[at : at + min(size, storage["bytes"] - begin)]
            require(table[16 * number :][:16] == xxh3_128(chunk), "F-22", f"chunk {number}", "checksum mismatch")
            if h.has_sha256:
                stored = table[16 * h.chunks + 32 * number :][:32]
                require(stored == hashlib.sha256(chunk).digest(), "F-23", f"chunk {number}", "checksum mismatch")
            number += 1


def check_root_sha256(h, index, table):
    parts = h.page[:160] + hashlib.sha256(index).digest() + hashlib.sha256(table[16 * h.chunks :]).digest()
    require(h.root_sha256 == hashlib.sha256(parts).digest(), "F-16", "root_sha256", "corrupt")


def alignment_of(count, h):
    if count >= 65536:
        return 1 << h.alignment_log2
    return min(max(1 << (count // 16).bit_length() >> 1, 16), 256)


# ---- Index: FlatBuffers by hand. Every access is checked against the bounds (F-30).

class Buffer:
    def __init__(self, data):
        self.data, self.tables, self.cost = data, 0, 0

    def slice(self, at, count):
        require(0 <= at and at + count <= len(self.data), "F-30", f"{count} bytes at {at}")
        return self.data[at : at + count]

    def number(self, code, at):
        width = struct.calcsize(code)
        require(at % width == 0, "F-30", f"alignment at {at}")
        return struct.unpack("<" + code, self.slice(at, width))[0]

    def spend(self, count):
        self.cost += count
        require(self.cost <= len(self.data), "F-32", "parts of the index are referred to more than once")

    def elements(self, at, width):  # of a vector: position of the first, number
        count = self.number("I", at)
        self.slice(at + 4, count * width)
        return at + 4, count

    def string(self, at):
        at, count = self.elements(at, 1)
        require(self.slice(at + count, 1) == b"\0", "F-30", "string without its zero byte")
        return self.slice(at, count)


class Table:
    def __init__(self, buffer, at):
        self.buffer, self.at = buffer, at
        self.vtable = at - buffer.number("i", at)
        self.length = buffer.number("H", self.vtable)
        require(self.length % 2 == 0, "F-30", "odd vtable")
        buffer.slice(self.vtable, self.length)

    def field(self, number):
        entry = 4 + 2 * number
        if entry + 2 > self.length:
            return None
        return (self.at + e) if (e := self.buffer.number("H", self.vtable + entry)) else None

    def scalar(self, number, code):
        at = self.field(number)
        return 0 if at is None else self.buffer.number(code, at)

    def reference(self, number, required=False):
        at = self.field(number)
        if at is None:
            require(not required, "F-30", f"required field {number} is absent")
            return None
        step = self.buffer.number("I", at)
        require(step != 0, "F-30", "reference to itself")
        return at + step

    # The same, counted for F-32.
    def string(self, number, required=False):
        at = self.reference(number, required)
        if at is None:
            return None
        text = self.buffer.string(at)
        self.buffer.spend(4 + len(text) + 1)
        return text

    def vector(self, number, code, required=False, may_be_empty=False):
        at = self.reference(number, required)
        if at is None:
            return []
        width = struct.calcsize("<" + code)
        at, count = self.buffer.elements(at, width)
        self.buffer.spend(4 + count * width)
        require(count or required or may_be_empty, "F-34", f"empty vector in field {number}")
        require(at % 8 == 0 or not count or not set(code) & set("Qq"), "F-31", f"vector at {at}")
        values = list(struct.iter_unpack("<" + code, self.buffer.slice(at, count * width)))
        return [v[0] for v in values] if len(code) == 1 else values

    def references(self, number, required=False, may_be_empty=False):
        at = self.reference(number, required)
        if at is None:
            return []
        at, count = self.buffer.elements(at, 4)
        self.buffer.spend(4 + 4 * count)
        require(count or required or may_be_empty, "F-34", f"empty vector in field {number}")
        return [p + self.buffer.number("I", p) for p in range(at, at + 4 * count, 4)]

    def table(self, number):
        at = self.reference(number)
        return None if at is None else counted_table(self.buffer, at)


def counted_table(buffer, at):
    buffer.spend(4)
    return Table(buffer, at)


STORAGE = "QQQIBBH"
NODE = "BBHIQQ"

# Field by id: a scalar's code, "s" string, "v" and an element's code vector, or a table of the
# schema (in a list: vector of them); "!" marks required fields.
SCHEMA = {
    "Index": {0: ["Tensor", "!"], 1: "v" + STORAGE + "!", 2: "vQ!", 3: "vI!", 4: ["Attachment"], 5: "StateTree", 6: ["File"]},
    "Tensor": {0: "s!", 1: "B", 2: "B", 3: "B", 4: "I", 5: "Q", 6: "vq", 7: "vq", 8: "Quantization", 9: ["Piece"]},
    "Quantization": {0: "B", 1: "d", 2: "q", 3: "i", 4: "I", 5: "I"},
    "Attachment": {0: "s!", 1: "s!", 2: "I"},
    "StateTree": {0: "v" + NODE + "!", 1: ["s"], 2: ["Blob"]},
    "Blob": {0: "vB!"},
    "Piece": {0: "vQ", 1: "vQ", 2: "I", 3: "Q", 4: "vq"},
    "File": {0: "s!", 1: "Q", 2: "Q", 3: "Q"},
}


def check_structure(buffer, at, kind="Index"):
    """F-30 for everything that can be reached."""
    if kind == "s":
        return buffer.string(at)
    buffer.tables += 1
    require(buffer.tables <= len(buffer.data) // 8, "F-30", "too many tables")
    table = Table(buffer, at)
    for number, form in SCHEMA[kind].items():
        if isinstance(form, str) and len(form) == 1 and form != "s":
            table.scalar(number, form)
            continue
        at = table.reference(number, "!" in form)
        if at is None:
            continue
        if isinstance(form, list):
            first, count = buffer.elements(at, 4)
            for p in range(first, first + 4 * count, 4):
                check_structure(buffer, p + buffer.number("I", p), form[0])
        elif form[0] == "v":
            buffer.elements(at, struct.calcsize("<" + form[1:].strip("!")))
        else:
            check_structure(buffer, at, form.strip("!"))


def read_index(data, h):
    buffer = Buffer(data)
    require(data[4:8] == b"INGX", "F-30", "identifier")
    root_at = buffer.number("I", 0)
    require(root_at != 0, "F-30", "root")
    check_structure(buffer, root_at)
    root = counted_table(buffer, root_at)
    tensors = root.references(0, required=True)
    raw_storages = root.vector(1, STORAGE, required=True)
    hashes, owners = root.vector(2, "Q", required=True), root.vector(3, "I", required=True)
    attachments = root.references(4)
    require(root.reference(6) is None, "F-35", "files")
    require(len(hashes) == len(owners) == len(tensors), "F-70", "name index")
    index = {"name_hashes": hashes, "name_tensors": owners}
    index["storages"] = read_storages(raw_storages, h)
    cursor = Cursor(index["storages"])
    index["tensors"] = [read_tensor(counted_table(buffer, at), index["storages"], cursor) for at in tensors]
    cursor.finish(4)
    check_names(index)
    index["attachments"] = read_attachments(buffer, attachments, cursor)
    cursor.finish(5)
    tree = root.table(5)
    index["state"] = None if tree is None else read_state(buffer, tree, len(tensors))
    return index


# ---- Storages

def read_storages(raw, h):
    storages, end, chunks, section = [], PAGE, 0, 1
    for offset, count, first_chunk, file, role, reserved0, reserved1 in raw:
        require(file == 0, "F-40", f"file {file}", "unsupported")
        require(reserved0 == reserved1 == 0, "F-41", "reserved")
        require(section <= role <= 5, "F-42", f"role {role}")
        require(offset == align_up(end, alignment_of(count, h)), "F-43", f"offset {offset}")
        require(offset + count < 2**63, "F-43", "63 bits")
        require(first_chunk == chunks, "F-44", f"first_chunk {first_chunk}")
        section, end, chunks = role, offset + count, chunks + ceil_div(count, 1 << h.chunk_log2)
        storages.append({"offset": offset, "bytes": count, "first_chunk": first_chunk, "role": role})
    require(h.data_end == end, "F-45", f"data ends at {end}")
    require(h.chunks == chunks, "F-46", f"{chunks} chunks")
    return storages


class Cursor:
    """F-47: the storages referred to so far are the first ones of each section."""

    def __init__(self, storages):
        self.storages = storages
        self.sections = {r: [i for i, s in enumerate(storages) if s["role"] == r] for r in range(1, 6)}
        self.seen = set()

    def refer(self, storage, role):
        if storage in self.seen:
            return
        require(self.storages[storage]["role"] == role, "F-47", f"role of storage {storage}")
        require(self.sections[role][0] == storage, "F-47", f"storage {storage} out of order")
        self.seen.add(self.sections[role].pop(0))

    def finish(self, last_role):
        left = [s for role in range(1, last_role + 1) for s in self.sections[role]]
        require(not left, "F-47", f"storages {left} are not referred to")


# ---- Tensors

def read_tensor(table, storages, cursor):
    t = {"name": table.string(0, required=True), "dtype": table.scalar(1, "B"), "role": table.scalar(2, "B"),
         "requires_grad": table.scalar(3, "B"), "storage": table.scalar(4, "I"), "byte_offset": table.scalar(5, "Q")}
    check_name(t["name"], "F-50")
    require(t["dtype"] in DTYPES, "F-51", f"dtype {t['dtype']}")
    require(1 <= t["role"] <= 4, "F-52", f"role {t['role']}")
    require(t["requires_grad"] <= 1, "F-53", "requires_grad")
    require(table.reference(9) is None, "F-36", "pieces")
    t["quantization"] = q = read_quantization(table.table(8))
    for storage in references_of(t):
        require(storage < len(storages), "F-54", f"storage {storage}")
    for storage in references_of(t):
        cursor.refer(storage, t["role"])
    t["shape"], t["strides"] = table.vector(6, "q"), table.vector(7, "q")
    require(len(t["shape"]) <= 64, "F-55", f"{len(t['shape'])} dimensions")
    check_strides(t["shape"], t["strides"])
    bits = DTYPES[t["dtype"]][1]
    require(not (t["strides"] and bits < 8), "F-57", "strides of a packed type")
    t["bytes"] = extent(t["shape"], t["strides"], bits)
    require(t["byte_offset"] % max(bits // 8, 1) == 0, "F-59", f"byte_offset {t['byte_offset']}")
    require(t["byte_offset"] + t["bytes"] <= storages[t["storage"]]["bytes"], "F-60", "beyond the storage")
    require((q is not None) == (t["dtype"] in QUANTIZED), "F-61", "quantization")
    if q is not None:
        check_quantization(q, t["shape"], storages)
    return t


def read_quantization(table):
    names = (("scheme", "B"), ("scale", "d"), ("zero_point", "q"), ("axis", "i"), ("scales", "I"), ("zero_points", "I"))
    return None if table is None else {name: table.scalar(i, code) for i, (name, code) in enumerate(names)}


def references_of(tensor):
    q = tensor["quantization"]
    per_channel = q is not None and q["scheme"] in (2, 3)
    return [tensor["storage"]] + ([q["scales"], q["zero_points"]] if per_channel else [])


def check_strides(shape, strides):
    if not strides:
        return
    require(len(strides) == len(shape), "F-58", "number of strides")
    row_major = 1
    expected = []
    for dimension in reversed(shape):
        expected.insert(0, row_major)
        row_major *= dimension or 1
    require(strides != expected, "F-58", "strides of row-major order")


def extent(shape, strides, bits):
    require(all(d >= 0 for d in shape + strides), "F-56", "negative")
    product = 1
    for dimension in shape:
        product *= dimension or 1
    require(product * bits < 2**64, "F-56", "product of the dimensions")
    span = product
    if strides:
        span = 1 + sum((max(d, 1) - 1) * s for d, s in zip(shape, strides))
        require(span * bits < 2**64, "F-56", "extent")
    if 0 in shape:
        return 0
    require(span * bits % 8 == 0, "F-57", "elements do not fill whole bytes")
    return span * bits // 8


def check_quantization(q, shape, storages):
    require(q["scheme"] in (1, 2, 3), "F-62", f"scheme {q['scheme']}")
    if q["scheme"] == 1:
        require(q["axis"] == q["scales"] == q["zero_points"] == 0, "F-63", "per-channel fields")
        return
    require(0 <= q["axis"] < len(shape) and q["scale"] == 1.0 and q["zero_point"] == 0, "F-64", "per-tensor fields")
    wanted = shape[q["axis"]] * (8 if q["scheme"] == 2 else 4)
    for storage in (q["scales"], q["zero_points"]):
        require(storages[storage]["bytes"] == wanted, "F-65", f"storage {storage}")


# ---- Element types: number, name, bits

DTYPES = {int(n): (name, int(bits)) for n, name, bits in (line.split() for line in """\
1 bool 8|2 uint8 8|3 int8 8|4 uint16 16|5 int16 16|6 uint32 32|7 int32 32|8 uint64 64|9 int64 64
10 float16 16|11 bfloat16 16|12 float32 32|13 float64 64|14 complex32 32|15 complex64 64
16 complex128 128|17 float8_e4m3fn 8|18 float8_e5m2 8|19 float8_e4m3fnuz 8|20 float8_e5m2fnuz 8
21 float8_e8m0fnu 8|22 float4_e2m1fn 4|23 float6_e2m3fn 6|24 float6_e3m2fn 6|25 int4 4|26 uint4 4
27 qint8 8|28 quint8 8|29 qint32 32|30 quint4x2 4|31 quint2x4 2|32 uint1 8|33 uint2 8|34 uint3 8
35 uint5 8|36 uint6 8|37 uint7 8|38 int1 8|39 int2 8|40 int3 8|41 int5 8|42 int6 8|43 int7 8
44 bits1x8 8|45 bits2x4 8|46 bits4x2 8|47 bits8 8|48 bits16 16""".replace("\n", "|").split("|"))}
QUANTIZED = range(27, 32)

# ---- Names


def check_name(name, rule):
    require(1 <= len(name) <= 1024, rule, f"name of {len(name)} bytes")
    require(is_utf8(name), rule, "UTF-8")
    require(all(b >= 0x20 and b != 0x7F for b in name), rule, "control character")


def is_utf8(text):
    try:
        text.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def check_names(index):
    names, before, run = [t["name"] for t in index["tensors"]], None, 0
    for stored, owner in zip(index["name_hashes"], index["name_tensors"]):
        require(owner < len(names), "F-71", f"tensor {owner}")
        require(before is None or before < (stored, names[owner]), "F-71", "order of the names")
        require(stored == xxhash.xxh3_64_intdigest(names[owner]), "F-72", f"hash of {names[owner]}")
        run = run + 1 if before is not None and before[0] == stored else 1
        require(run <= 8, "F-73", "names that share a hash")
        before = (stored, names[owner])


# ---- Attachments

def read_attachments(buffer, positions, cursor):
    attachments = []
    for at in positions:
        table = counted_table(buffer, at)
        a = {"name": table.string(0, True), "media_type": table.string(1, True), "storage": table.scalar(2, "I")}
        check_name(a["name"], "F-80")
        require(not attachments or attachments[-1]["name"] < a["name"], "F-81", "order of the names")
        require(1 <= len(a["media_type"]) <= 255 and all(0x20 <= b <= 0x7E for b in a["media_type"]), "F-82", "media type")
        require(cursor.sections[5][:1] == [a["storage"]], "F-83", f"storage {a['storage']}")
        cursor.refer(a["storage"], 5)
        attachments.append(a)
    return attachments


# ---- State tree

NULL, BOOL, INT64, FLOAT64, STRING, BYTES, LIST, TUPLE, DICT, TENSOR = range(10)
KINDS = "null bool int64 float64 string bytes list tuple dict tensor".split()


def read_state(buffer, table, tensor_count):
    nodes = table.vector(0, NODE, required=True)
    require(nodes, "F-90", "no nodes")
    strings = []
    for at in table.references(1):
        strings.append(buffer.string(at))
        buffer.spend(4 + len(strings[-1]) + 1)
        require(is_utf8(strings[-1]), "F-98", "UTF-8")
    blobs = [bytes(counted_table(buffer, at).vector(0, "B", required=True)) for at in table.references(2)]
    used = {"strings": 0, "blobs": 0}

    def use(what, values, number, rule):
        require(number == used[what] < len(values), rule, f"{what} number {number}")
        used[what] += 1
        return values[number]

    root = {"children": []}
    open_nodes = [(root, None, None, 1)]  # value, its kind, number of its last descendant, children left
    for i, (kind, key_kind, reserved, children, key, value) in enumerate(nodes):
        while open_nodes[-1][3] == 0:
            require(open_nodes[-1][2] in (None, i - 1), "F-92", f"descendants before node {i}")
            open_nodes.pop()
            require(open_nodes, "F-92", f"node {i} is nobody's descendant")
        parent, parent_kind, last, left = open_nodes[-1]
        open_nodes[-1] = (parent, parent_kind, last, left - 1)
        container = kind in (LIST, TUPLE, DICT)
        require(len(open_nodes) <= 64, "F-93", f"node {i} is too deep")
        require(kind <= TENSOR and reserved == 0 and (children == 0 or container), "F-91", f"node {i}")
        require(value <= (0, 1)[kind] if kind in (NULL, BOOL) else True, "F-91", f"value of node {i}")
        node = {"kind": KINDS[kind]}
        if parent_kind == DICT:
            require(key_kind in (1, 2), "F-94", f"key of node {i}")
            node["key"] = struct.unpack("<q", struct.pack("<Q", key))[0] if key_kind == 1 else use("strings", strings, key, "F-96").decode()
        else:
            require(key_kind == 0 and key == 0, "F-94", f"key of node {i}")
        if kind == STRING:
            node["value"] = use("strings", strings, value, "F-96").decode()
        elif kind == BYTES:
            node["value"] = use("blobs", blobs, value, "F-97").hex()
        elif kind == TENSOR:
            require(value < tensor_count, "F-99", f"tensor {value}")
            node["value"] = value
        elif container:
            node["children"] = []
            require(i + value < len(nodes), "F-92", f"descendants of node {i}")
            open_nodes.append((node, kind, i + value, children))
        else:
            node["value"] = {NULL: None, BOOL: bool(value), INT64: struct.unpack("<q", struct.pack("<Q", value))[0], FLOAT64: f"{value:016x}"}[kind]
        parent["children"].append(node)
        if parent_kind == DICT:
            check_key(parent, node)
    for _, _, last, left in open_nodes:
        require(left == 0 and last in (None, len(nodes) - 1), "F-92", "descendants at the end")
    require(used["strings"] == len(strings), "F-96", "unused strings")
    require(used["blobs"] == len(blobs), "F-97", "unused blobs")
    return {"root": root["children"][0], "nodes": nodes, "strings": strings, "blobs": blobs}


def check_key(parent, node):
    keys, runs = parent.setdefault("keys", set()), parent.setdefault("runs", {})
    require((type(node["key"]), node["key"]) not in keys, "F-95", f"key {node['key']} twice")
    keys.add((type(node["key"]), node["key"]))
    if isinstance(node["key"], str):
        hashed = xxhash.xxh3_64_intdigest(node["key"].encode())
        runs[hashed] = runs.get(hashed, 0) + 1
        require(runs[hashed] <= 8, "F-95", "keys that share a hash")


# ---- Order of validation

def read(data):
    """The description of a whole file; raises Refused."""
    h, damage = read_header(data)
    table = data[h.digests_offset :][: h.digests_bytes]
    index_bytes = data[h.index_offset :][: h.index_bytes]
    require(xxh3_128(index_bytes) == h.index_digest, "F-21", "digest of the index", "corrupt")
    index = read_index(index_bytes, h)
    require(xxh3_128(table) == h.digests_digest, "F-20", "digest of the digest table", "corrupt")
    if h.has_sha256:
        check_root_sha256(h, index_bytes, table)
    check_padding(data, h, index["storages"])
    check_chunks(data, h, table, index["storages"])
    if h.minor == 0:
        require(encode_index(index) == index_bytes, "F-38", "not in canonical form")
    if damage:
        raise damage
    return describe(data, h, table, index)


def describe(data, h, table, index):
    def digest(storage, offset, count):
        begin = index["storages"][storage]["offset"] + offset
        return hex_digest(xxh3_128(data[begin : begin + count]))

    def tensor(t):
        q = t["quantization"]
        return {**t, "name": t["name"].decode(), "dtype": DTYPES[t["dtype"]][0], "requires_grad": bool(t["requires_grad"]),
                "quantization": q and {**q, "scale": struct.pack(">d", q["scale"]).hex()},
                "digest": digest(t["storage"], t["byte_offset"], t["bytes"])}

    def attachment(a):
        count = index["storages"][a["storage"]]["bytes"]
        return {"name": a["name"].decode(), "media_type": a["media_type"].decode(), "storage": a["storage"],
                "bytes": count, "digest": digest(a["storage"], 0, count)}

    def state(node):
        node = {k: v for k, v in node.items() if k not in ("keys", "runs")}
        if "children" in node:
            node["children"] = [state(child) for child in node["children"]]
        return node

    return {
        "major": h.major, "minor": h.minor, "required_features": h.required_features,
        "optional_features": h.optional_features, "file_bytes": h.file_bytes, "data_end": h.data_end,
        "digests_bytes": h.digests_bytes, "index_bytes": h.index_bytes, "chunk_bytes": 1 << h.chunk_log2,
        "alignment": 1 << h.alignment_log2, "uuid": h.uuid.hex(), "save_id": h.save_id.hex(),
        "root": hex_digest(h.root), "root_sha256": h.root_sha256.hex() if h.has_sha256 else None,
        "storages": [{k: s[k] for k in ("offset", "bytes", "first_chunk")} for s in index["storages"]],
        "chunks": [hex_digest(table[16 * i :][:16]) for i in range(h.chunks)],
        "tensors": [tensor(t) for t in index["tensors"]],
        "attachments": [attachment(a) for a in index["attachments"]],
        "state": index["state"] and state(index["state"]["root"]),
    }


def main():
    code = 0
    for path in sys.argv[1:]:
        try:
            with open(path, "rb") as file:
                print(json.dumps(read(file.read())))
        except Refused as error:
            print(f"{path}: {error}", file=sys.stderr)
            code = code or EXIT_CODES[error.kind]
    sys.exit(code)


if __name__ == "__main__":
    main()
