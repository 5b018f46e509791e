// The man page of boatswaind(8). What it says is said elsewhere already, in help_text() and in the table of settings;
// here it only gets its form.
#include "base/roff.h"
#include "config/command_help.h"
#include "config/flags.h"
#include "config/settings.h"

namespace boatswain::config {
namespace {

// help_text()'s blocks are separated by empty lines: what it is, the commands, and further ones that begin with a
// title.
struct Help {
    std::string what, commands, rest;
};

Help parts_of(std::string_view help) {
    Help parts;
    auto take = [&help] {
        auto end = help.find("\n\n");
        std::string block{help.substr(0, end)};
        help.remove_prefix(end == help.npos ? help.size() : end + 2);
        return block;
    };
    parts.what = take();
    parts.commands = take();
    auto flags = help.find("\nFlags\n");  // the table below says them at more length
    parts.rest = std::string{help.substr(0, flags)};
    return parts;
}

}  // namespace

std::string man_page() {
    auto help = parts_of(help_text());
    ManPage page{"boatswaind", "8", version(), "collects the output of a host's containers, sealed for their tenants"};
    page.section("SYNOPSIS").literal(help.commands);
    page.section("DESCRIPTION").paragraph(help.what);
    page.literal(help.rest);
    page.section("COMMANDS");
    for (const auto& command : command_helps())
        page.subsection(command.name).paragraph(std::string{command.about}).literal(std::string{command.examples});
    page.section("SETTINGS")
        .paragraph("Each is said as a key of the file, as a variable of the environment, or as a flag.");
    const Config defaults;
    std::string section = "?";
    for (const auto& setting : settings()) {
        if (section != setting.section()) {
            section = setting.section();
            page.subsection(section.empty() ? "at the top of the file" : "[" + section + "]");
        }
        page.item(std::string{setting.key()} + " = " + (setting.is_list ? "[" : "") + std::string{setting.form} +
                      (setting.is_list ? ", ...]" : ""),
                  std::string{setting.help} + "\n" + "Default: " + setting.toml(defaults) + "\n" +
                      "Also: " + setting.environment() + ", " + setting.flag());
    }
    page.section("SIGNALS")
        .item("SIGTERM, SIGINT",
              "reads what is on disk, seals it, and ships for at most shutdown_timeout; a second one ends it at once")
        .item("SIGHUP", "reads [tenancy] and the keyring again");
    page.section("FILES")
        .item("/etc/boatswain/boatswain.toml",
              "the configuration, where neither --config nor BOATSWAIN_CONFIG names another")
        .item("/etc/boatswain/keys", "the keyring: TENANT.pub for each tenant")
        .item("/var/lib/boatswain", "spool, checkpoints, and the socket that boatswain(1) asks");
    page.section("EXIT STATUS")
        .paragraph("0: told to end. 1: it cannot start, and says why. 2: the command line is wrong.");
    page.section("SEE ALSO").paragraph("boatswain(1)");
    return page.str();
}

}  // namespace boatswain::config
