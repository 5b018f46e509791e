#!/usr/bin/python3
"""threads.py SRC: nothing in src/ calls what is not safe between threads, and the sanitizers would not see
(docs/decisions/0024-what-threads-share.md).

The C library and other libraries come compiled: a sanitizer does not look into them. So what may be called of them is a
rule, not a finding. threads.py --canary: shows that each name is found, and that comments, texts and longer names are
not.
"""
import pathlib
import re
import sys

# What may not be called, and why.
FORBIDDEN = {
    **dict.fromkeys(["setenv", "putenv", "unsetenv", "clearenv"], "frees what getenv() of another thread reads"),
    **dict.fromkeys(["setlocale", "tzset"], "changes for all threads what the C library formats with"),
    **dict.fromkeys(
        [
            "localtime",
            "gmtime",
            "ctime",
            "asctime",
            "getpwnam",
            "getpwuid",
            "getgrnam",
            "getgrgid",
            "gethostbyname",
            "gethostbyaddr",
            "getservbyname",
            "inet_ntoa",
            "strtok",
            "strsignal",
            "ttyname",
            "getlogin",
            "ptsname",
            "tmpnam",
            "basename",
            "dirname",
        ],
        "answers in a place that all threads share",
    ),
    **dict.fromkeys(["rand", "srand", "drand48"], "has one state for all threads"),
    **dict.fromkeys(["curl_share_init", "curl_multi_init"], "shares what only one thread may use"),
}
# "sqlite3_..." is the business of one file: whoever else calls it does so without the lock.
SQLITE = re.compile(r"\bsqlite3_\w+\s*\(")
SQLITE_HOME = pathlib.PurePath("spool/sqlite.cc")
# Called before the first thread is started, as it says there.
ALLOWED = {("boatswaind/guard_daemon.cc", "getpwnam"), ("boatswaind/guard_daemon.cc", "getgrnam")}

NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'", re.DOTALL)
CALL = re.compile(r"(?<![\w.>])(?:::|std::)?(" + "|".join(FORBIDDEN) + r")\s*\(")
LOCALE = re.compile(r"\blocale::global\s*\(")


def findings(path, text):
    """What is wrong in one file, whose `path` is relative to src/."""
    code = NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    for call in CALL.finditer(code):
        if (str(path), call.group(1)) not in ALLOWED:
            yield code.count("\n", 0, call.start()) + 1, f"{call.group(1)}() {FORBIDDEN[call.group(1)]}"
    for call in LOCALE.finditer(code):
        yield code.count("\n", 0, call.start()) + 1, "locale::global() changes what all threads format with"
    if path != SQLITE_HOME:
        for call in SQLITE.finditer(code):
            yield code.count("\n", 0, call.start()) + 1, f"SQLite is called in {SQLITE_HOME} alone, with its lock"


def is_of_tests(path):
    return any(word in path.stem for word in ("_test", "_fuzz", "test_"))


def check(src):
    bad = 0
    for file in sorted(src.rglob("*")):
        path = file.relative_to(src)
        if file.suffix not in (".h", ".cc") or is_of_tests(path):
            continue
        for line, what in findings(path, file.read_text()):
            print(f"{file}:{line}: {what}")
            bad += 1
    return bad


def canary():
    wrong = []
    for name in FORBIDDEN:
        for form in (f"{name}(x);", f"::{name} (x);", f"auto y = {name}(x);"):
            if not list(findings(pathlib.PurePath("base/a.cc"), form)):
                wrong.append(f"not found: {form}")
    for form in ("sqlite3_finalize(x);", "std::locale::global(x);"):
        if not list(findings(pathlib.PurePath("base/a.cc"), form)):
            wrong.append(f"not found: {form}")
    for form in ("// rand(x)", '"rand(x)"', "gmtime_r(x);", "my_rand(x);", "object.rand(x);", "pointer->ctime(x);"):
        if list(findings(pathlib.PurePath("base/a.cc"), form)):
            wrong.append(f"found where nothing is wrong: {form}")
    if list(findings(SQLITE_HOME, "sqlite3_finalize(x);")):
        wrong.append("found in the one file that may")
    print("\n".join(wrong) or "every name is found, and nothing else")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(bool(canary() if sys.argv[1] == "--canary" else check(pathlib.Path(sys.argv[1]))))
