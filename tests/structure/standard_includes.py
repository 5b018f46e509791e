#!/usr/bin/python3
"""standard_includes.py SRC: a file says which standard headers it uses, by itself or by a header of ours that it
includes.

Builds read the common standard headers once, precompiled (cmake/Precompiled.cmake), so the compiler does not miss an
#include of them.
standard_includes.py --canary: shows that a forgotten one is found.
"""
import pathlib
import re
import sys

# What of namespace std each precompiled header is looked for by.
NAMES = {
    "algorithm": (
        r"all_of|any_of|none_of|find_if|find_if_not|sort|stable_sort|copy_n|copy_if|remove_if|lower_bound|upper_bound|"
        r"equal_range|max_element|min_element|count_if|clamp|replace|fill_n|fill|rotate|shuffle|unique|is_sorted|"
        r"search|adjacent_find|"
        r"nth_element|partial_sort|binary_search|set_difference|mismatch|equal|min|max"
    ),
    "array": r"array|to_array",
    "atomic": r"atomic(?:_\w+)?|memory_order_\w+",
    "charconv": r"from_chars|to_chars",
    "chrono": r"chrono|chrono_literals",
    "cstdint": r"u?int(?:8|16|32|64)_t",
    "cstdlib": r"getenv|strtoul|strtod|quick_exit|exit|abort",
    "filesystem": r"filesystem",
    "fstream": r"[io]?fstream",
    "functional": r"function|move_only_function|hash|less|greater|reference_wrapper|ref|cref|plus",
    "map": r"map|multimap",
    "memory": r"unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared|enable_shared_from_this",
    "mutex": r"mutex|lock_guard|unique_lock|scoped_lock|once_flag|call_once|recursive_mutex",
    "optional": r"optional|nullopt|make_optional",
    "random": r"mt19937(?:_64)?|random_device|uniform_int_distribution",
    "set": r"set|multiset",
    "span": r"span|as_bytes",
    "string": r"string|to_string|getline|stoi|stoul",
    "string_view": r"string_view",
    "thread": r"thread|jthread|this_thread",
    "variant": r"variant|visit|get_if|holds_alternative|monostate",
    "vector": r"vector",
    # These come along with the others.
    "limits": r"numeric_limits",
    "sstream": r"[io]?stringstream",
    "system_error": r"error_code|system_error|errc|generic_category|system_category",
    "unordered_map": r"unordered_map",
    "exception": r"exception_ptr|current_exception|rethrow_exception",
}
ASIO = {
    "boost/asio/any_io_executor.hpp": "any_io_executor",
    "boost/asio/awaitable.hpp": "awaitable",
    "boost/asio/co_spawn.hpp": "co_spawn",
    "boost/asio/io_context.hpp": "io_context",
    "boost/asio/use_awaitable.hpp": "use_awaitable",
}
# A header of the same standard that has the other whole.
COMES_WITH = {
    "string": {"string_view"},
    "thread": set(),
    "fstream": {"string"},
    "filesystem": {"string", "string_view"},
    "mutex": set(),
    "unordered_map": set(),
    "sstream": {"string"},
    "iostream": {"string"},
    "ranges": {"span"},
}
USED = {
    header: re.compile(rf"\bstd::(?:ranges::|pmr::)?(?:{names})\b(?!\s*::\s*pmr)") for header, names in NAMES.items()
}
USED |= {header: re.compile(rf"\basio::{name}\b") for header, name in ASIO.items()}
INCLUDE = re.compile(r'^#include (?:<([a-z_/0-9.A-Z]+)>|"([^"]+)")', re.M)
COMMENT = re.compile(r"//[^\n]*")


class Tree:
    def __init__(self, texts):
        """texts: path as in #include -> content"""
        self.texts, self.known = texts, {}

    def reached(self, path, on_the_way=()):
        if path not in self.known:
            found = set()
            for standard, own in INCLUDE.findall(self.texts.get(path, "")):
                if standard:
                    found |= {standard} | COMES_WITH.get(standard, set())
                elif own not in on_the_way:
                    found |= self.reached(own, (*on_the_way, path))
            self.known[path] = found
        return self.known[path]

    def forgotten(self):
        for path, text in sorted(self.texts.items()):
            code = COMMENT.sub("", text)
            for header in sorted(USED):
                use = USED[header].search(code)
                if use and header not in self.reached(path):
                    yield f"{path}: {use[0]} without <{header}>"


def canary():
    good = {
        "a/a.h": "#include <string>\n#include <vector>\n",
        "b/b.cc": '#include "a/a.h"\nstd::vector<std::string_view> x;',
    }
    assert not list(Tree(good).forgotten())
    assert list(Tree(good | {"b/b.cc": "std::vector<int> x;  // no #include <vector>"}).forgotten()) == [
        "b/b.cc: std::vector without <vector>"
    ]
    assert not list(Tree({"a.cc": "// std::map would do"}).forgotten())
    print("a forgotten include is found")


def main():
    if sys.argv[1] == "--canary":
        canary()
        return
    root = pathlib.Path(sys.argv[1])
    texts = {str(file.relative_to(root)): file.read_text() for file in root.rglob("*") if file.suffix in (".h", ".cc")}
    found = list(Tree(texts).forgotten())
    if found:
        sys.exit("standard headers that a file uses and does not include:\n" + "\n".join(found))
    print(f"{len(texts)} files say what they use")


if __name__ == "__main__":
    main()
