// For tests: a directory of their own, removed with everything in it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"

namespace boatswain::testing {

class TestDirectory {
  public:
    TestDirectory() {
        auto pattern = (std::filesystem::temp_directory_path() / "boatswain-test.XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp " + pattern};
        path_ = pattern;
    }
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;
    ~TestDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const Path& path() const { return path_; }
    Path operator/(std::string_view name) const { return path_ / name; }

  private:
    Path path_;
};

inline std::string contents(const Path& path) {
    std::ifstream file{path, std::ios::binary};
    std::ostringstream all;
    all << file.rdbuf();
    return std::move(all).str();
}

inline void write(const Path& path, std::string_view bytes) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

inline void append(const Path& path, std::string_view bytes) {
    std::ofstream{path, std::ios::binary | std::ios::app} << bytes;
}

inline std::vector<std::string> names_in(const Path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{directory})
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

}  // namespace boatswain::testing
