// The directory of key files that the machines share, and the identities behind them.
#pragma once

#include <vector>

#include "base/directory_for_test.h"
#include "model/plain.h"
#include "open/identity.h"

namespace boatswain::model {

class KeyringDirectory {
  public:
    explicit KeyringDirectory(Path place) : place_(std::move(place)) { std::filesystem::create_directories(place_); }

    const Path& place() const { return place_; }
    const KeyFiles& files() const { return files_; }
    const std::vector<open::Identity>& identities() const { return identities_; }

    KeyId new_key() {
        identities_.push_back(open::Identity::generate());
        return identities_.size() - 1;
    }
    std::vector<crypto::Recipient> recipients(const Keys& keys) const {
        std::vector<crypto::Recipient> found;
        for (auto key : keys) found.push_back(identities_.at(key).recipient());
        return found;
    }
    void set(const std::string& name, KeyFile file) {
        auto path = place_ / (name + ".pub");
        auto gone = place_ / (name + ".gone");
        std::filesystem::remove(gone);
        if (file.state == KeyFile::State::absent || file.state == KeyFile::State::gone) {
            std::filesystem::remove(path);
            if (file.state == KeyFile::State::gone) testing::write(gone, "");
        } else {
            std::string text = file.state == KeyFile::State::broken ? "age1typo\n" : "";
            for (const auto& recipient : recipients(file.keys)) text += recipient.str() + "\n";
            testing::write(place_ / "new", text);
            std::filesystem::rename(place_ / "new", path);
        }
        files_[name] = std::move(file);
    }
    // Every file is good: with the keys it has, or a new one.
    void mend() {
        for (auto [name, file] : files_) {
            if (file.keys.empty()) file.keys = {new_key()};
            file.state = KeyFile::State::good;
            set(name, file);
        }
    }

  private:
    Path place_;
    KeyFiles files_;
    std::vector<open::Identity> identities_;
};

}  // namespace boatswain::model
