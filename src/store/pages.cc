#include "store/pages.h"

#include <algorithm>

#include "base/bytes.h"

namespace boatswain::store {

Result<ListPage> Pages::next() {
    TRY(auto page, store_.list(prefix_, delimited_, token_));
    CHECK(check(page));
    more_ = page.next.has_value();
    token_ = page.next;
    return page;
}

Result<void> Pages::check(const ListPage& page) {
    auto endless = [&](std::string_view why) {
        return fail(Remedy::stop, "list " + store_.describe() + " under \"" + printable(prefix_, 1200) +
                                      "\": the listing does not end: " + std::string{why});
    };
    auto names = page.objects.size() + page.prefixes.size() + page.foreign;
    names_ += names;
    empty_pages_ = names == 0 ? empty_pages_ + 1 : 0;
    if (names_ > listed_names_max) return endless("more than " + std::to_string(listed_names_max) + " names");
    if (++pages_ > pages_max) return endless("more than " + std::to_string(pages_max) + " pages");
    if (page.next && page.next == token_) return endless("a page asks for itself again");
    if (page.next && empty_pages_ > empty_pages_max)
        return endless("more than " + std::to_string(empty_pages_max) + " pages without a name");

    auto last = page.last_foreign;
    if (!page.objects.empty()) last = std::max(last, page.objects.back().key);
    if (!page.prefixes.empty()) last = std::max(last, page.prefixes.back());
    if (names > 0 && pages_ > 1 && last <= last_) return endless("a page repeats names of the one before");
    last_ = std::max(last_, last);
    return {};
}

}  // namespace boatswain::store
