// Filters on who printed. They are answered from footers alone.
#pragma once

#include <string>
#include <vector>

#include "query/filter.h"

namespace boatswain::query {

// Any of these apps, exactly.
FilterPtr app_is_one_of(std::vector<std::string> apps);

// As engines accept them: shorter starts of an id would be names by accident.
inline constexpr std::size_t id_prefix_min = 4;

// Whether `wanted` is the container's name, or the start of its id.
bool is_named(const Source& source, std::string_view wanted);

// Any of these containers, each by its name or by the start of its id (id_prefix_min characters or more).
FilterPtr container_is_one_of(std::vector<std::string> containers);

}  // namespace boatswain::query
