"""Markdown's tables. Standard library only."""


def table(head, rows, first_left=1):
    """The first columns to the left, as text is; the others to the right, as numbers are."""
    sides = ["---"] * first_left + ["---:"] * (len(head) - first_left)
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(sides) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def escape(text):
    return text.replace("|", "\\|")[:160]
