#!/usr/bin/python3
"""break_source.py MUTANT SOURCE OUT: a source file with one of its rules broken, for tests that must notice it.

The change is made of the source as it stands, so that what is built of it differs from the real thing in nothing else.
A source in which the place is not found any more is an error: then this script has to be brought up to date."""
import re
import sys

# By name: the file, the function in it, and what becomes of its text.
MUTANTS = {
    # A segment is recorded before its file is there.
    "record_before_file": (
        "spool/spool.cc",
        "Result<void> Spool::add(std::span",
        [(r"(\n    CHECK\(SegmentQueue::write\([^;]*\);)(\n    CHECK\(commit\([^;]*\);)", r"\2\1")],
    ),
    # How far sources are sealed is not saved with the segment.
    "no_checkpoint": (
        "spool/source_ledger.cc",
        "Result<void> SourceLedger::save(",
        [
            (
                r"for \(const auto& \[source, checkpoint\] : addition\.checkpoints\)\s+"
                r"CHECK\(statements\.move\([^;]*\);",
                "",
            )
        ],
    ),
    # What the store did not take is given up.
    "release_what_failed": (
        "ship/shipper.cc",
        "void Shipper::failed(",
        [(r"spool_\.give_back\(segment, wait\);", "(void)spool_.release(segment);")],
    ),
    # A segment whose key is taken is put away, as it once was.
    "no_second_key": (
        "ship/shipper.cc",
        "void Shipper::key_is_taken(",
        [(r"\{", "{ (void)seen; return (void)spool_.quarantine(segment);", 1)],
    ),
    # The chain goes on where a key of it was taken.
    "no_new_epoch": (
        "spool/chains.cc",
        "void Chains::want_new_epoch(",
        [(r"new_epoch_wanted_ = true", "new_epoch_wanted_ = false")],
    ),
    # Nobody looks behind the end of a chain after a start.
    "no_look": (
        "ship/shipper.cc",
        "Shipper::Look Shipper::look_behind_head(",
        [(r"\{", "{ if (!segment.key.empty()) return Look::done;", 1)],
    ),
    # Two segments of a tenant in one group have the same number.
    "chain_stands_still": (
        "batch/sealing.cc",
        "std::optional<spool::ChainHead> Sealing::chain_head(",
        [(r"known != group\.heads\.end\(\)", "known != group.heads.end() && spool_.host().empty()")],
    ),
    # A batch is of a tenant, whoever its recipients are.
    "batch_of_any_recipients": (
        "batch/batcher.cc",
        "Feed::Feed(",
        [(r"key_of\(source_\.whose\.tenant, recipients_\)", "key_of(source_.whose.tenant, {})")],
    ),
}


def body_of(source, function):
    start = source.index(function)
    return start, source.index("\n}\n", start)


def broken(name, source):
    _, function, changes = MUTANTS[name]
    start, end = body_of(source, function)
    body = source[start:end]
    for pattern, becomes, *count in changes:
        body, done = re.subn(pattern, becomes, body, *count)
        if not done:
            sys.exit(f"break_source.py: {name}: {pattern} is not where it was")
    return source[:start] + body + source[end:]


def main(name, source, out):
    with open(source, encoding="utf-8") as file:
        text = broken(name, file.read())
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
