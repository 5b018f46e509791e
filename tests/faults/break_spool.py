#!/usr/bin/python3
"""break_spool.py IN OUT: the spool with its one rule broken: a segment is recorded before its file is there.

The change is made of the source as it stands, so that the broken spool differs from the real one in nothing else. A source in which the
place is not found any more is an error: then this script has to be brought up to date."""
import re
import sys

source = open(sys.argv[1]).read()
start = source.index("Result<void> Spool::add(std::span")
end = source.index("\n}\n", start)
body = source[start:end]
write = re.search(r"\n    CHECK\(write_segments\([^;]*\);", body)
commit = re.search(r"\n    CHECK\(name_additions\([^;]*\);", body)
if not write or not commit:
    sys.exit("break_spool.py: the write or the commit is not where it was")
body = body[:write.start()] + body[write.end():commit.end()] + write.group() + body[commit.end():]
open(sys.argv[2], "w").write(source[:start] + body + source[end:])
