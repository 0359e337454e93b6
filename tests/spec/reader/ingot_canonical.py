"""The canonical encoding of an index (docs/format.md, "Canonical form"), for the second reader.

Written from the document and from what a FlatBufferBuilder is known to do: it fills a buffer from its
end to its start, aligns each part before it is written, and shares equal vtables."""

import struct

STORAGE = "QQQIBBH"
NODE = "BBHIQQ"


class Builder:
    """Positions are distances from the buffer's end, as long as its start is not known."""

    def __init__(self):
        self.parts, self.size, self.alignment, self.vtables = [], 0, 1, {}

    def put(self, data):
        self.parts.append(data)
        self.size += len(data)

    def align(self, alignment, following=0):
        """Pads so that after `following` more bytes the position is a multiple of `alignment`."""
        self.alignment = max(self.alignment, alignment)
        self.put(bytes(-(self.size + following) % alignment))

    def number(self, code, value):
        self.align(struct.calcsize(code))
        self.put(struct.pack("<" + code, value))
        return self.size

    def reference(self, target):
        self.align(4)
        return self.number("I", self.size + 4 - target)

    def string(self, text):
        self.align(4, len(text) + 1)
        self.put(text + b"\0")
        return self.number("I", len(text))

    def vector(self, data, count, alignment):
        if data:  # an empty vector is aligned for its length alone
            self.align(4, len(data))
            self.align(alignment, len(data))
        self.put(data)
        return self.number("I", count)

    def scalars(self, code, values):
        return self.vector(struct.pack(f"<{len(values)}{code}", *values), len(values), struct.calcsize(code))

    def structs(self, code, values):
        return self.vector(b"".join(struct.pack("<" + code, *v) for v in values), len(values), 8)

    def references(self, targets):
        for target in reversed(targets):
            self.reference(target)
        return self.number("I", len(targets))

    def table(self, *fields):
        """Fields are (id, code, value) in the order in which they are added; code "ref" refers."""
        start, places = self.size, {}
        for number, code, value in fields:
            if code == "ref":
                if value is not None:
                    places[number] = self.reference(value)
            elif any(struct.pack("<" + code, value)):
                places[number] = self.number(code, value)
        self.align(4)
        at = self.size + 4
        entries = [at - places[i] if i in places else 0 for i in range(max(places, default=-1) + 1)]
        vtable = struct.pack(f"<{2 + len(entries)}H", 4 + 2 * len(entries), at - start, *entries)
        place = self.vtables.setdefault(vtable, at + len(vtable))
        self.put(struct.pack("<i", place - at))
        if place == at + len(vtable):
            self.put(vtable)
        return at

    def finish(self, root, identifier):
        self.align(self.alignment, 8)
        self.put(identifier)
        self.reference(root)
        return b"".join(reversed(self.parts))


def encode_index(index):
    b = Builder()
    state = index["state"] and add_state(b, index["state"])
    attachments = add_attachments(b, index["attachments"])
    tensors = from_last_to_first(index["tensors"], lambda t: add_tensor(b, t))
    storages = b.structs(STORAGE, [(s["offset"], s["bytes"], s["first_chunk"], 0, s["role"], 0, 0) for s in index["storages"]])
    name_tensors = b.scalars("I", index["name_tensors"])
    name_hashes = b.scalars("Q", index["name_hashes"])
    vector = b.references(tensors)
    parts = (vector, storages, name_hashes, name_tensors, attachments, state)
    return b.finish(b.table(*((i, "ref", part) for i, part in enumerate(parts))), b"INGX")


def from_last_to_first(items, add):
    return [add(item) for item in reversed(items)][::-1]


def add_state(b, state):
    blobs = from_last_to_first(state["blobs"], lambda data: b.table((0, "ref", b.vector(data, len(data), 1))))
    blobs = b.references(blobs) if blobs else None
    strings = from_last_to_first(state["strings"], b.string)
    strings = b.references(strings) if strings else None
    nodes = b.structs(NODE, state["nodes"])
    return b.table((0, "ref", nodes), (1, "ref", strings), (2, "ref", blobs))


def add_attachments(b, attachments):
    def add(a):
        media_type = b.string(a["media_type"])
        name = b.string(a["name"])
        return b.table((0, "ref", name), (1, "ref", media_type), (2, "I", a["storage"]))

    return b.references(from_last_to_first(attachments, add)) if attachments else None


def add_tensor(b, t):
    q = t["quantization"]
    quantization = q and b.table((1, "d", q["scale"]), (2, "q", q["zero_point"]), (3, "i", q["axis"]),
                                 (4, "I", q["scales"]), (5, "I", q["zero_points"]), (0, "B", q["scheme"]))
    strides = b.scalars("q", t["strides"]) if t["strides"] else None
    shape = b.scalars("q", t["shape"]) if t["shape"] else None
    name = b.string(t["name"])
    return b.table((5, "Q", t["byte_offset"]), (0, "ref", name), (6, "ref", shape), (7, "ref", strides),
                   (8, "ref", quantization), (4, "I", t["storage"]), (1, "B", t["dtype"]),
                   (2, "B", t["role"]), (3, "B", t["requires_grad"]))
