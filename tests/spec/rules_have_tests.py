"""Every rule of docs/format.md (F-01, F-02, …) is named by at least one test, no test names a rule
that is not there, and the document demands nothing (MUST, SHALL, REQUIRED) outside of a rule."""

import re

from repository import Findings, files, lines

RULE = re.compile(r"\bF-\d{2,3}\b")
DEFINITION = re.compile(r"\* \*\*(F-\d{2,3})\*\* ")
DEMAND = re.compile(r"\b(MUST|SHALL|REQUIRED)\b")
# The one sentence that says what the words mean.
MEANING = "The words MUST, MUST NOT, SHOULD and MAY are those of RFC 2119"


def defined_rules(findings):
    """Line numbers by rule. A rule is its first line and the indented lines that follow."""
    rules, demanding, current = {}, set(), None
    for number, line in lines("docs/format.md"):
        if match := DEFINITION.match(line):
            current = match[1]
            if current in rules:
                findings.add("docs/format.md", number, f"{current} is defined twice")
            rules[current] = number
        elif not line.startswith("  "):
            current = None
        if DEMAND.search(line.removeprefix(MEANING)):
            if current is None:
                findings.add("docs/format.md", number, "a demand that is in no numbered rule")
            demanding.add(current)
    for rule, number in rules.items():
        if rule not in demanding:
            findings.add("docs/format.md", number, f"{rule} demands nothing")
    return rules


def main():
    findings = Findings()
    rules = defined_rules(findings)
    if not rules:
        findings.add("docs/format.md", 0, "no numbered rules")
    named = {}
    for path in files("tests/**/*"):
        # The checkers and the second reader follow the rules, which proves nothing of Ingot.
        if path.parts[1] in ("spec", "support"):
            continue
        for number, line in lines(path):
            for match in RULE.finditer(line):
                named.setdefault(match[0], (path, number))
    for rule, number in rules.items():
        if rule not in named:
            findings.add("docs/format.md", number, f"{rule} is named by no test")
    for rule, (path, number) in named.items():
        if rule not in rules:
            findings.add(path, number, f"{rule} is not a rule of docs/format.md")
    findings.finish(f"each of {len(rules)} rules is named by a test, and no demand is without one")


main()
