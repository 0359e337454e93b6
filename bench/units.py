"""Values as text. Standard library only."""

import result


def seconds_text(value):
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def bytes_text(value):
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= scale:
            return f"{value / scale:.1f} {unit}"
    return f"{value:.0f} B"


def size_text(value):
    """bytes_text() without a zero behind the point."""
    return bytes_text(value).replace(".0 ", " ")


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def percent(share):
    return f"{100 * share:.0f} %"


def series_text(series):
    """GB/s where bytes were counted, else the time."""
    rate = result.rate(series)
    return f"{rate / 1e9:.2f} GB/s" if rate else seconds_text(result.median(series))


def decided(value, holds, digits, sign=""):
    """`value` to so many decimals, or to as many more as it takes until the verdict can be seen in it."""
    while round(value, digits) != value and holds(round(value, digits)) != holds(value):
        digits += 1
    return f"{value:{sign}.{digits}f}"
