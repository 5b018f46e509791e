// Writes man pages: roff with the macros of man(7).
//
// Text is escaped: nothing of it is taken for a macro or an escape. What the pages say comes from the programs' own
// tables of commands and settings, so that they cannot lag behind.
#pragma once

#include <string>
#include <string_view>

namespace boatswain {

class ManPage {
  public:
    // `name`: "boatswaind"; `section`: "8"; `summary`: what NAME says behind the dash.
    ManPage(std::string_view name, std::string_view section, std::string_view version, std::string_view summary);

    ManPage& section(std::string_view title);                     // "OPTIONS"; in capitals
    ManPage& subsection(std::string_view title);                  // "keys new"
    ManPage& paragraph(std::string_view text);                    // filled; empty lines separate paragraphs
    ManPage& literal(std::string_view text);                      // as it stands, line by line
    ManPage& item(std::string_view term, std::string_view text);  // a term in bold, and what it means

    const std::string& str() const { return text_; }

  private:
    std::string text_;
};

}  // namespace boatswain
