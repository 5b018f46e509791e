// Reads the little XML that S3 and STS answer with.
//
// Elements, text, CDATA, comments, processing instructions and the five named and the numeric entities: nothing else is
// needed, and a document type (the door to every known attack on XML readers) is refused. Attributes and namespaces are
// passed over. Bounds: xml_depth_max levels, and the text the caller hands in.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::store {

inline constexpr std::size_t xml_depth_max = 16;

// Where an element is: "ListBucketResult/Contents/Key".
using XmlPath = std::string_view;

struct XmlVisitor {
    std::function<void(XmlPath)> open;  // an element begins
    std::function<void(XmlPath, const std::string& text)>
        close;  // it ends; text is its own, decoded, without its children's
};

// Calls the visitor in the order of the document. Remedy::quarantine when the text is not such a document; what was
// visited until then must not be used.
Result<void> read_xml(std::string_view document, const XmlVisitor& visitor);

}  // namespace boatswain::store
