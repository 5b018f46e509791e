#include "base/roff.h"

namespace boatswain {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";  // a minus: what is copied from the page works in a shell
        else if (c == '~')
            out += "\\(ti";
        else if (c == '^')
            out += "\\(ha";
        else if (c == '`')
            out += "\\(ga";
        else if (c == '\'')
            out += "\\(aq";
        else
            out += c;
    }
    return out;
}

// One line of text, which must not begin like a request.
std::string line_of(std::string_view text) { return (text.starts_with('.') ? "\\&" : "") + escaped(text) + "\n"; }

// An argument of a macro, in quotes.
std::string argument(std::string_view text) {
    std::string out = "\"";
    for (char c : escaped(text)) out += c == '"' ? std::string{"\\(dq"} : std::string{c};
    return out + "\"";
}

template <class Each>
void each_line(std::string_view text, Each&& each) {
    while (!text.empty()) {
        auto end = text.find('\n');
        each(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
}

}  // namespace

ManPage::ManPage(std::string_view name, std::string_view section, std::string_view version, std::string_view summary) {
    text_ = "." + std::string{"TH "} + argument(name) + " " + std::string{section} + " \"\" " +
            argument("Boatswain " + std::string{version}) + "\n.nh\n.ad l\n";
    this->section("NAME");
    text_ += escaped(name) + " \\- " + escaped(summary) + "\n";
}

ManPage& ManPage::section(std::string_view title) {
    text_ += ".SH " + argument(title) + "\n";
    return *this;
}

ManPage& ManPage::subsection(std::string_view title) {
    text_ += ".SS " + argument(title) + "\n";
    return *this;
}

ManPage& ManPage::paragraph(std::string_view text) {
    text_ += ".PP\n";
    each_line(text, [&](std::string_view line) { text_ += line.empty() ? ".PP\n" : line_of(line); });
    return *this;
}

ManPage& ManPage::literal(std::string_view text) {
    text_ += ".PP\n.nf\n";
    each_line(text, [&](std::string_view line) { text_ += line.empty() ? "\\&\n" : line_of(line); });
    text_ += ".fi\n";
    return *this;
}

ManPage& ManPage::item(std::string_view term, std::string_view text) {
    text_ += ".TP\n.B " + argument(term) + "\n";
    each_line(text, [&](std::string_view line) { text_ += line.empty() ? "\\&\n" : line_of(line); });
    return *this;
}

}  // namespace boatswain
