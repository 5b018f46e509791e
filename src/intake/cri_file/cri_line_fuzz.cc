// Whatever the bytes: what is scanned as a record is exactly what the line says, by a second and slower reading.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "intake/cri_file/cri_line.h"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

// By the format's words: TIME " " STREAM " " TAG [" " MESSAGE].
void agree(std::string_view line, const boatswain::intake::LogRecord& found, std::string_view message) {
    std::string head = std::string{line.substr(0, line.find(' '))};
    auto time = boatswain::parse_time(head);
    if (time) require(found.time == *time);
    head += " " + std::string{boatswain::to_string(found.stream)} + " " + (found.newline ? "F" : "P");
    require(line.starts_with(head));
    require(line.ends_with(message) && head.size() + message.size() <= line.size());
    require(found.message_bytes == message.size() && !found.inner_newline);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain::intake;
    CriLineScanner scanner;
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    while (!rest.empty()) {
        auto bytes = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), bytes.size() + 1));
        auto line = std::make_unique<char[]>(bytes.size());
        std::memcpy(line.get(), bytes.data(), bytes.size());
        auto output = std::make_unique<char[]>(bytes.size() + RecordScanner::slack);
        LogRecord found;
        std::string_view own{line.get(), bytes.size()};
        if (scanner.scan(own, output.get(), found)) agree(bytes, found, {output.get(), found.message_bytes});
        if (auto at = cri_form.find_record(own); at != own.npos) require(at <= own.size());
        (void)cri_form.scan_back(own, true);
    }
    return 0;
}
