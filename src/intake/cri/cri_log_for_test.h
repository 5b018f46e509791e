// For tests: writes a container's log as containerd does for a kubelet, and rotates it as the kubelet does.
//
// As measured with containerd 1.6 and read in kubernetes (pkg/kubelet/logs/container_log_manager.go): a long line is
// cut into pieces of 16 KiB, each with a time of its own; the kubelet renames the log, and the runtime writes on in the
// renamed file until it has to open the log again; of rotated files all but the newest are compressed.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "base/directory_for_test.h"
#include "base/time.h"
#include "record/line.h"

namespace boatswain::intake::cri {

class CriLog {
  public:
    explicit CriLog(Path path) : path_(std::move(path)) {
        std::filesystem::create_directories(path_.parent_path());
        boatswain::testing::write(path_, "");
    }
    const Path& path() const { return path_; }

    void print(std::string_view message, Stream stream = Stream::out) {
        constexpr std::size_t piece_bytes = 16U << 10;
        while (message.size() > piece_bytes) {
            piece(message.substr(0, piece_bytes), stream, "P");
            message.remove_prefix(piece_bytes);
        }
        piece(message, stream, "F");
    }
    void piece(std::string_view bytes, Stream stream, std::string_view tag) {
        raw(time() + " " + std::string{to_string(stream)} + " " + std::string{tag} + " " + std::string{bytes} + "\n");
    }
    void raw(std::string_view bytes) { boatswain::testing::append(open_, bytes); }

    // Renamed; what is printed still goes there.
    void rename() {
        compress();
        rotated_ = path_.string() + ".20261129-" + std::to_string(100'000 + rotations_++);
        std::filesystem::rename(path_, rotated_);
        open_ = rotated_;
    }
    void reopen() {
        boatswain::testing::write(path_, "");
        open_ = path_;
    }
    void rotate() {
        rename();
        reopen();
    }

  private:
    std::string time() {
        now_ += Nanoseconds{1'000'001};
        return to_text(now_);
    }
    void compress() {
        if (rotated_.empty()) return;
        auto text = boatswain::testing::contents(rotated_);
        auto packed = rotated_.string() + ".gz";
        gzFile file = gzopen(packed.c_str(), "wb");
        gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
        gzclose(file);
        std::filesystem::remove(rotated_);
    }

    const Path path_;
    Path open_ = path_, rotated_;
    unsigned rotations_ = 0;
    Timestamp now_ = *parse_time("2026-11-29T10:00:00Z");
};

}  // namespace boatswain::intake::cri
