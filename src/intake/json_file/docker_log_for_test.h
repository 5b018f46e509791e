// For tests: writes a json-file log the way the engine does, with its pieces and its rotation.
//
// As measured and read in moby (daemon/logger/jsonfilelog, loggerutils/logfile.go): a record is written with one write;
// before one, a file that has reached max-size is rotated: the oldest is removed, .N becomes .N+1, the log becomes .1,
// and a new log is made. With compress=true, .1 is replaced by .1.gz some time later, and always before the next
// rotation.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/directory_for_test.h"
#include "base/json_writer.h"
#include "base/time.h"
#include "intake/source/piece_joiner.h"
#include "record/line.h"

namespace boatswain::intake {

struct DockerLogOptions {
    std::size_t size_max = 1U << 30;
    unsigned files_max = 1000;
    bool compress = false;
};

inline std::string json_record(Stream stream, Timestamp time, std::string_view log) {
    return "{\"log\":" + json_quote(log) + ",\"stream\":\"" + std::string{to_string(stream)} + "\",\"time\":\"" +
           to_text(time) + "\"}\n";
}

class DockerLog {
  public:
    explicit DockerLog(Path path, DockerLogOptions options = {}) : path_(std::move(path)), options_(options) {
        std::filesystem::create_directories(path_.parent_path());
        boatswain::testing::write(path_, "");
    }
    const Path& path() const { return path_; }
    unsigned rotations() const { return rotations_; }

    // One line of output, cut into pieces as the engine does.
    void print(Stream stream, Timestamp time, std::string_view message, bool newline = true) {
        while (message.size() >= engine_piece_bytes) {
            piece(stream, time, message.substr(0, engine_piece_bytes), false);
            message.remove_prefix(engine_piece_bytes);
        }
        piece(stream, time, message, newline);
    }
    void piece(Stream stream, Timestamp time, std::string_view bytes, bool newline) {
        if (bytes.empty() && !newline) return;
        raw(json_record(stream, time, std::string{bytes} + (newline ? "\n" : "")));
    }
    void raw(std::string_view bytes) {
        if (!torn_ && std::filesystem::file_size(path_) >= options_.size_max) rotate();
        boatswain::testing::append(path_, bytes);
        torn_ = !bytes.ends_with('\n');
    }

    void rotate() {
        ++rotations_;
        compress_now();
        auto last = options_.files_max > 1 ? options_.files_max - 1 : 1;
        std::filesystem::remove(name(last));
        for (auto i = last; i > 1; --i)
            if (std::filesystem::exists(name(i - 1))) std::filesystem::rename(name(i - 1), name(i));
        // What was not compressed (the option came later) is called without .gz.
        std::filesystem::rename(path_, plain(1));
        boatswain::testing::write(path_, "");
        compress_pending_ = options_.compress;
    }
    // What the engine does in the background after a rotation.
    void compress_now() {
        if (!std::exchange(compress_pending_, false)) return;
        auto bytes = boatswain::testing::contents(plain(1));
        auto file = ::gzopen(name(1).c_str(), "wb1");
        ::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
        ::gzclose(file);
        std::filesystem::remove(plain(1));
    }

  private:
    Path plain(unsigned age) const { return path_.string() + "." + std::to_string(age); }
    Path name(unsigned age) const { return plain(age).string() + (options_.compress ? ".gz" : ""); }

    Path path_;
    DockerLogOptions options_;
    unsigned rotations_ = 0;
    bool compress_pending_ = false;
    bool torn_ = false;
};

}  // namespace boatswain::intake
