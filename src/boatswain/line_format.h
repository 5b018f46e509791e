// One line or gap as text, as JSON, or as the bytes that were printed.
#pragma once

#include <string>

#include "boatswain/commands.h"
#include "boatswain/output.h"
#include "logql/record.h"
#include "query/merge.h"

namespace boatswain::tool {

struct Printed {
    std::string text;
    bool aside = false;  // for standard error: it is no part of what was asked for, and must not be silent
};

// Where a line stands that is printed with others around those that were found.
struct InGroup {
    std::uint64_t group = 0;  // counts from 1
    bool found = false;       // else it is context, or a gap
};

// "TIME APP MESSAGE", "TIME APP [stderr] MESSAGE", or "TIME APP --- gap: ..." and a newline. On a terminal the app has
// a colour of its own, a line that was found among others is bold, and others have the colour of their level. Nothing in a message acts on a terminal, wherever
// it is printed to.
Printed as_text(const query::Entry& entry, const Output& out, const InGroup* place = nullptr);

// One object and a newline: time, tenant, app, component, instance, container, name, stream, partial, message; and
// message_base64 where the message is not UTF-8. A gap has "gap" in place of the last three.
// `labels`: what a pipeline left of them, as a last member. `place`: "group" and "hit", as last members.
Printed as_json(const query::Entry& entry, const logql::Labels* labels = nullptr, const InGroup* place = nullptr);

// The bytes and, after a complete line, its newline. A gap goes aside.
Printed as_raw(const query::Entry& entry);

// One record of CSV (RFC 4180), with the columns of csv_heading(). Nothing in it acts on a terminal. A gap goes aside.
// With a place there are two columns more.
Printed as_csv(const query::Entry& entry, const InGroup* place = nullptr);
std::string csv_heading(bool with_place = false);
// In quotes where it has to be.
std::string csv_field(std::string_view text);

Printed print(const query::Entry& entry, LogFormatChoice format, const Output& out, const InGroup* place = nullptr);

}  // namespace boatswain::tool
