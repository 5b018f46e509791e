// The table of settings: each one's name, meaning, limits, and how it is read into a Config and printed from one.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/value.h"

namespace boatswain::config {

struct Setting {
    std::string_view name;  // "batch.flush_after"; at the top of the file "state_dir"
    std::string_view form;  // what a value is, for people: "TIME", "SIZE", "PATH", "RULES", "quarantine|drop"
    std::string_view help;  // one sentence, without a full stop
    bool is_list = false;
    bool is_switch = false;  // true or false; as a flag, its name alone means true

    // Reads `given` into `config`. The error is the rest of a sentence that begins with the setting's name.
    std::function<Result<void>(Config& config, const Given& given)> set;
    // The value as TOML, secrets redacted.
    std::function<std::string(const Config& config)> toml;

    std::string_view section() const;  // "batch", or "" at the top
    std::string_view key() const;      // "flush_after"
    std::string flag() const;          // "--batch-flush-after"
    std::string environment() const;   // "BOATSWAIN_BATCH_FLUSH_AFTER"
};

// Those of one section stand together; those at the top come first.
std::span<const Setting> settings();
const Setting* find_setting(std::string_view name);
std::vector<std::string_view> section_names();

// The reference part of docs/operate/configuration.md: a table for each section. A test compares the page with it.
std::string settings_markdown();

}  // namespace boatswain::config
