#include "base/result.h"

#include <cerrno>

namespace boatswain {

std::string_view to_string(Remedy remedy) {
    switch (remedy) {
        case Remedy::retry: return "retry";
        case Remedy::back_off: return "back_off";
        case Remedy::re_resolve: return "re_resolve";
        case Remedy::quarantine: return "quarantine";
        case Remedy::stop: return "stop";
    }
    return "unknown";
}

Error Error::within(std::string_view doing) && {
    std::string said{doing};
    said += ": ";
    said += what;
    what = std::move(said);
    return std::move(*this);
}

std::unexpected<Error> fail(Remedy remedy, std::string what, std::error_code cause) {
    return std::unexpected(Error{.remedy = remedy, .what = std::move(what), .cause = cause});
}

std::unexpected<Error> fail_errno(Remedy remedy, std::string_view doing, int error_number) {
    std::error_code cause{error_number, std::generic_category()};
    return fail(remedy, std::string{doing} + ": " + cause.message(), cause);
}

std::unexpected<Error> fail_errno(Remedy remedy, std::string_view doing) { return fail_errno(remedy, doing, errno); }

}  // namespace boatswain
