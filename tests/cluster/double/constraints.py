"""Marathon's placement constraints (SC/mesos/Constraints.scala): may one more instance go to this host, given where
others are?

`others` are the machines of the instances that count: of the same configuration, and not lost. Marathon leaves
instances of an
older configuration out of this, so UNIQUE does not keep old and new off the same host during an upgrade
(ResourceMatcher).
"""
import math
import re


def value_of(machine, field):
    """The text that constraints compare, or None where the host lacks the attribute."""
    if field in ("hostname", "@hostname"):
        return machine.hostname
    if field == "@region":
        return machine.region
    if field == "@zone":
        return machine.zone
    value = machine.attributes.get(field)
    if value is None or isinstance(value, str):
        return value
    return f"{float(value):.3f}".rstrip("0").rstrip(".")


def full_match(pattern, text):
    return text is not None and re.fullmatch(pattern, text) is not None


def met(constraint, machine, others):
    field, operator = constraint[0], constraint[1]
    argument = constraint[2] if len(constraint) > 2 else ""
    here = value_of(machine, field)
    if operator == "UNLIKE":
        return not full_match(argument, here)
    if here is None:
        return False
    there = [value_of(other, field) for other in others]
    if operator == "UNIQUE":
        return here not in there
    if operator == "MAX_PER":
        return there.count(here) < int(argument)
    if operator == "LIKE":
        return full_match(argument, here)
    if operator == "IS":
        return here == argument
    if operator == "CLUSTER":
        return here == argument if argument else not there or here == there[0]
    if operator == "GROUP_BY":
        counts = {value: there.count(value) for value in set(there)}
        groups = max(int(argument) if argument else 0, len(counts))
        fewest = 0 if len(counts) < groups else min(counts.values(), default=0)
        return counts.get(here, 0) <= (fewest if counts else math.inf)
    raise AssertionError(f"a constraint that validation should have refused: {constraint}")
