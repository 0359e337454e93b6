"""The table of who notices a flipped bit, from a result's "integrity". Standard library only."""

REGIONS = ["header", "data, begin", "data, middle", "data, end", "between tensors", "trailer", "other files"]
ABOUT = """One bit of a file is flipped, the file is loaded as its library documents it, and the bit is put back; then the next.
In each region up to {samples} bytes are damaged so, evenly, its first and last among them. What is data is found by looking
for the tensors' bytes; `header` is what lies before the first of them, `trailer` what lies after the last, `other files` are
those of a folder that hold no tensor. Every load runs in a process of its own.

**noticed**: an error was raised. **silent**: the load succeeded with wrong bytes, dtypes or shapes. **renamed**: it succeeded with
a tensor under a wrong name, which a model that asks for all of its names would notice. harmless: every tensor was as it was
saved, and nothing was said: most such bytes in a header or trailer are ones that the reader makes no use of.
"""
TRUST = """
{names} alone {notice} every flip, since the whole file is proven, padding included. A load proves what it loads, so that
a flip between tensors is harmless to it is as it should be."""
UNPROVEN = " {names} {is_told} to prove nothing."


def cell(region):
    """What became of a region's flips, worst first."""
    if not region:
        return ""
    renamed = region.get("why", {}).get("wrong", {}).get("names", 0)
    counts = {
        "**silent**": region.get("wrong", 0) - renamed,
        "**crashed**": region.get("crashed", 0),
        "**hung**": region.get("hung", 0),
        "renamed": renamed,
        "noticed": region.get("noticed", 0),
        "harmless": region.get("harmless", 0),
    }
    there = {name: number for name, number in counts.items() if number}
    if list(there) == ["noticed"]:
        return "all noticed"
    if list(there) == ["harmless"]:
        return "all harmless"
    if list(there) == ["**silent**"]:
        return "**all silent**"
    return ", ".join(f"{number} {name}" for name, number in there.items())


def errors_of(entry):
    """Names of what was raised, most frequent first."""
    counts = {}
    for region in entry["regions"].values():
        for name, number in region.get("why", {}).get("noticed", {}).items():
            counts[name] = counts.get(name, 0) + number
    return ", ".join(sorted(counts, key=counts.get, reverse=True)[:4])


def section(entries, source=""):
    """Markdown; empty without entries. `source`: of which run they are, where it is not the report's."""
    if not entries:
        return ""
    samples = max((region["flips"] for entry in entries for region in entry.get("regions", {}).values()), default=0)
    head = ["contender", *REGIONS, "raised"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for entry in entries:
        if "error" in entry:
            lines.append(f"| {entry['contender']} | cannot: {entry['error'][:160]} |" + " |" * len(REGIONS))
            continue
        cells = [cell(entry["regions"].get(region)) for region in REGIONS]
        lines.append("| " + " | ".join([f"`{entry['contender']}`", *cells, errors_of(entry)]) + " |")
    trust = alone(complete(entries)) + unproven(entries)
    trust += f"\nOf a run of its own: {source}.\n" if source else ""
    return "\n## A flipped bit: who notices?\n\n" + ABOUT.format(samples=samples) + "\n" + "\n".join(lines) + "\n" + trust


def complete(entries):
    """Who noticed every flip."""
    return [entry["contender"] for entry in entries
            if "regions" in entry
            and all(region.get("noticed", 0) == region["flips"] for region in entry["regions"].values())]


def listed(names):
    return " and ".join(f"`{name}`" for name in names)


def alone(names):
    """That they are Ingot's alone, ingot-verified among them; else nothing."""
    if "ingot-verified" not in names or not all(name.startswith("ingot") for name in names):
        return ""
    return TRUST.format(names=listed(names), notice="notices" if len(names) == 1 else "notice")


def unproven(entries):
    """Who of Ingot's is asked not to prove."""
    names = [entry["contender"] for entry in entries if entry["contender"] in ("ingot-unverified", "ingot-mapped")]
    return UNPROVEN.format(names=listed(names), is_told="is told" if len(names) == 1 else "are told") if names else ""
