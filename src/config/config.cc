#include "config/config.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/suggest.h"
#include "config/settings.h"
#include "config/toml_file.h"
#include "config/words.h"

namespace boatswain::config {
namespace {

constexpr std::string_view environment_prefix = "BOATSWAIN_";
constexpr std::string_view default_file = "/etc/boatswain/boatswain.toml";

// Names that containers use for themselves (the default rules read them), and the one that names the file.
constexpr std::array<std::string_view, 6> not_settings{"TENANT", "APP", "COMPONENT", "INSTANCE", "RECIPIENT", "CONFIG"};

std::string joined(const std::vector<std::string_view>& names) {
    std::string out;
    for (auto name : names) out += (out.empty() ? "" : ", ") + std::string{name};
    return out;
}

std::vector<std::string_view> keys_of(std::string_view section) {
    std::vector<std::string_view> keys;
    for (const auto& setting : settings())
        if (setting.section() == section) keys.push_back(setting.key());
    return keys;
}

// One loading: values go into `config`, mistakes are gathered.
class Loader {
  public:
    void read_file(std::string_view text, std::string_view path) {
        if (text.size() > file_bytes_max)
            return mistake(std::string{path} + ": is longer than " + size_to_text(file_bytes_max));
        auto entries = parse_toml(text, path);
        if (!entries) return mistake(entries.error().what);
        for (const auto& entry : *entries) read_entry(entry);
    }

    void read_environment(const Environment& environment) {
        for (const auto& [name, value] : environment) {
            if (!name.starts_with(environment_prefix)) continue;
            auto all = settings();
            auto setting = std::ranges::find(all, name, &Setting::environment);
            if (setting != all.end())
                set(*setting, {.value = value, .is_text = true, .where = name}, name);
            else
                wonder_about(name);
        }
    }

    void read_flags(const Overrides& flags) {
        std::map<std::string, std::vector<std::string>, std::less<>> lists;
        for (const auto& [name, value] : flags) {
            const auto* setting = find_setting(name);
            if (setting == nullptr) {
                mistake("unknown setting " + in_quotes(name) + " on the command line");
                continue;
            }
            Given given{.value = value, .is_text = true, .where = setting->flag()};
            if (setting->is_list) {  // a list that is said several times goes on where it was
                auto parts = as_list(given);
                if (!parts) {
                    mistake(given.where + ": " + parts.error().what);
                    continue;
                }
                auto& list = lists[name];
                list.insert(list.end(), parts->begin(), parts->end());
                given = {.value = list, .where = given.where};
            }
            set(*setting, given, given.where);
        }
    }

    // What can only be said of several values together.
    void check_together() {
        const auto& engine = config.engine;
        if (engine.certificate_file.empty() != engine.key_file.empty())
            mistake("engine.certificate_file and engine.key_file go together: " +
                    std::string{engine.key_file.empty() ? "engine.key_file" : "engine.certificate_file"} +
                    " is missing");
        bool with_tls = !engine.ca_file.empty() || !engine.certificate_file.empty();
        if (with_tls && !engine.socket.starts_with("tcp://"))
            config.warnings.push_back(
                "engine.ca_file and engine.certificate_file are not used: engine.socket is not tcp://");
        if (!with_tls && engine.socket.starts_with("tcp://"))
            config.warnings.push_back(
                "engine.socket is tcp:// without TLS: whoever is on the way can read all and act as root on the "
                "engine's host");
        if (config.batch.flush_bytes > config.spool.bytes_max)
            too_much("batch.flush_bytes", config.batch.flush_bytes, "spool.bytes_max", config.spool.bytes_max);
        if (config.batch.flush_bytes > config.memory_max)
            too_much("batch.flush_bytes", config.batch.flush_bytes, "memory_max", config.memory_max);
        if (config.tenancy.tenant.empty())
            config.warnings.push_back("tenancy.tenant has no rules: every container is unassigned");
    }

    Config config;
    std::string mistakes;

  private:
    void mistake(std::string_view what) {
        if (!mistakes.empty()) mistakes += '\n';
        mistakes += what;
    }

    // `named` is how the place names the setting: a file's line does not, so the setting's name is added to it.
    void set(const Setting& setting, const Given& given, const std::string& named) {
        auto done = setting.set(config, given);
        if (done)
            config.origins.insert_or_assign(std::string{setting.name}, given.where);
        else
            mistake(named + ": " + done.error().what);
    }

    void read_entry(const TomlEntry& entry) {
        auto name = entry.section.empty() ? entry.key : entry.section + "." + entry.key;
        const auto* setting = find_setting(name);
        bool is_section = is_among(entry.section.empty() ? entry.key : entry.section, section_names());
        if (setting != nullptr)
            set(*setting, entry.given, entry.given.where + ": " + name);
        else if (entry.section.empty() && is_section)
            read_odd_section(entry);
        else if (!entry.section.empty() && !is_section)
            unknown_section(entry);
        else
            unknown_setting(entry);
    }

    // `[batch]` with nothing in it is well; `batch = 5` and `[[batch]]` are not.
    void read_odd_section(const TomlEntry& entry) {
        const auto* other = std::get_if<Other>(&entry.given.value);
        if (other != nullptr && other->type == "a section") return;
        mistake(entry.given.where + ": " + in_quotes(entry.key) + " is a section; write [" + entry.key +
                "] and its settings below");
    }

    void unknown_section(const TomlEntry& entry) {
        if (entry.section == unknown_) return;  // said once, not for each of its settings
        unknown_ = entry.section;
        auto sections = section_names();
        auto near = closest(entry.section, sections);
        if (const auto* setting = find_setting(entry.section))
            return mistake(entry.given.where + ": " + in_quotes(setting->name) +
                           " is a setting, not a section; write " + std::string{setting->name} + " = VALUE");
        mistake(entry.given.where + ": unknown section [" + printable(entry.section, 80) + "]" +
                (near ? ": did you mean [" + std::string{*near} + "]?" : "; known are " + joined(sections)));
    }

    void unknown_setting(const TomlEntry& entry) {
        auto keys = keys_of(entry.section);
        auto what = entry.given.where + ": unknown setting " + in_quotes(entry.key) +
                    (entry.section.empty() ? "" : " in [" + entry.section + "]");
        if (entry.section.empty())
            for (auto section : section_names()) keys.push_back(section);
        if (auto near = closest(entry.key, keys)) return mistake(what + ": did you mean " + in_quotes(*near) + "?");
        for (const auto& setting : settings())  // the right name in the wrong place
            if (setting.key() == entry.key)
                return mistake(what + ": it belongs " +
                               (setting.section().empty() ? "at the top of the file"
                                                          : "in [" + std::string{setting.section()} + "]"));
        mistake(what + "; known are " + joined(keys));
    }

    void wonder_about(std::string_view name) {
        auto bare = name.substr(environment_prefix.size());
        if (is_among(bare, not_settings)) return;
        std::vector<std::string> names;
        for (const auto& setting : settings()) names.push_back(setting.environment().substr(environment_prefix.size()));
        std::vector<std::string_view> known(names.begin(), names.end());
        if (auto near = closest(bare, known))
            config.warnings.push_back(printable(name, 80) + " is not a setting: did you mean " +
                                      std::string{environment_prefix} + std::string{*near} + "?");
    }

    void too_much(std::string_view name, std::uint64_t value, std::string_view limit_name, std::uint64_t limit) {
        auto shown = [&](std::string_view setting, std::uint64_t bytes) {
            auto origin = config.origins.find(setting);
            return std::string{setting} + " (" + size_to_text(bytes) + ", " +
                   (origin == config.origins.end() ? "default" : origin->second) + ")";
        };
        mistake(shown(name, value) + " is more than " + shown(limit_name, limit));
    }

    std::string unknown_;
};

std::string machine_name() {
    char name[256]{};
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
    return printable(name);
}

}  // namespace

Result<Config> load(std::string_view text, std::string_view path, const Overrides& flags,
                    const Environment& environment) {
    Loader loader;
    loader.read_file(text, path);
    loader.read_environment(environment);
    loader.read_flags(flags);
    if (loader.mistakes.empty()) loader.check_together();
    if (!loader.mistakes.empty()) return fail(Remedy::stop, std::move(loader.mistakes));
    if (loader.config.control.empty()) loader.config.control = loader.config.state_dir / "agent.sock";
    if (loader.config.host.empty()) loader.config.host = machine_name();
    return std::move(loader.config);
}

Result<Config> load_file(const std::optional<Path>& path, const Overrides& flags, const Environment& environment) {
    auto from_environment = environment.find("BOATSWAIN_CONFIG");
    bool named = path || (from_environment != environment.end() && !from_environment->second.empty());
    Path file = path ? *path : named ? Path{from_environment->second} : Path{default_file};
    auto text = read_file(file, file_bytes_max);
    // Only the file that nobody asked for may be missing.
    if (!text && !named && text.error().remedy == Remedy::re_resolve) return load("", "", flags, environment);
    if (!text) return fail(Remedy::stop, std::move(text.error().what), text.error().cause);
    auto config = load(*text, file.string(), flags, environment);
    std::error_code ignored;
    if (config) config->file = std::filesystem::absolute(file, ignored);
    return config;
}

Environment boatswain_environment(const char* const* environment) {
    Environment ours;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        std::string_view entry{*environment};
        auto equals = entry.find('=');
        if (equals != std::string_view::npos && entry.starts_with(environment_prefix))
            ours.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return ours;
}

std::string print_effective(const Config& config) {
    std::string out, section;
    for (const auto& setting : settings()) {
        if (setting.section() != section) {
            section = setting.section();
            out += "\n[" + section + "]\n";
        }
        auto origin = config.origins.find(setting.name);
        out += std::string{setting.key()} + " = " + setting.toml(config) + "  # " +
               (origin == config.origins.end() ? "default" : printable(origin->second)) + "\n";
    }
    return out;
}

}  // namespace boatswain::config
