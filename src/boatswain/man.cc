// The man page of boatswain(1), made from the words of the command line itself.
#include "base/roff.h"
#include "boatswain/arguments.h"

namespace boatswain::tool {
namespace {

std::string synopsis_of(const CommandWords& command) {
    std::string text = "boatswain " + command.path;
    if (command.options.size() > 1) text += " [OPTION]...";  // --help is always there
    for (const auto& argument : command.arguments)
        text += argument.required ? " " + argument.name : " [" + argument.name + "]";
    return text;
}

std::string term_of(const OptionWords& option) {
    auto text = (option.short_name.empty() ? "" : option.short_name + ", ") + option.name;
    if (!option.takes_value) return text;
    return text + " " + (option.value.empty() ? "VALUE" : option.value);
}

std::string text_of(const OptionWords& option) {
    std::string text = option.description;
    for (const auto& choice : option.choices)
        text += (&choice == &option.choices.front() ? "\nOne of: " : ", ") + choice;
    return text;
}

}  // namespace

std::string man_page() {
    ManPage page{"boatswain", "1", BOATSWAIN_VERSION, "reads what Boatswain has sealed, makes keys, and asks agents"};
    auto words = command_words();
    std::string synopsis;
    for (const auto& command : words)
        if (command.commands.empty()) synopsis += synopsis_of(command) + "\n";
    page.section("SYNOPSIS").literal(synopsis);
    page.section("DESCRIPTION")
        .paragraph(
            "boatswaind(8), on each host, seals what containers print for the tenant that each belongs to, and stores "
            "it in a\n"
            "directory or in S3. With the tenant's identity, boatswain prints it. The objects are age files of zstd "
            "text:\n"
            "stock tools do as well.");
    page.section("COMMANDS");
    for (const auto& command : words) {
        if (command.path.empty()) continue;
        page.subsection(command.path).paragraph(command.description + ".");
        for (const auto& argument : command.arguments) page.item(argument.name, argument.description);
        for (const auto& option : command.options) page.item(term_of(option), text_of(option));
        if (!command.footer.empty()) page.literal(command.footer);
    }
    page.section("ENVIRONMENT")
        .item("BOATSWAIN_STORE", "the store, where --store is not given")
        .item("BOATSWAIN_IDENTITY", "files of identities with ':' between them, where --identity is not given")
        .item("BOATSWAIN_SOCKET", "the agent's socket, where --socket is not given")
        .item("NO_COLOR", "no colours")
        .item("PAGER", "the program that text of logs and query goes through, on a terminal")
        .item("TZ", "the time zone of --time local");
    page.section("EXIT STATUS")
        .paragraph(
            "0: done. 1: it failed, or there was nothing. 2: the command line is wrong. Where a command says more, see "
            "there.");
    page.section("SEE ALSO").paragraph("boatswaind(8), age(1), zstd(1)");
    return page.str();
}

}  // namespace boatswain::tool
