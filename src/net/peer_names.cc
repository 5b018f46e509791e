#include "net/peer_names.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

namespace boatswain::net {
namespace {

struct Release {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

void add(std::vector<std::string>& names, std::string_view kind, std::string_view name) {
    if (name.empty() || name.size() > peer_name_bytes_max || name.contains('\0') || names.size() == peer_names_max)
        return;
    names.push_back(std::string{kind} + std::string{name});
}

void add_alternatives(std::vector<std::string>& names, X509* certificate) {
    std::unique_ptr<GENERAL_NAMES, Release> all{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
        const auto* name = sk_GENERAL_NAME_value(all.get(), i);
        if (name->type != GEN_URI && name->type != GEN_DNS) continue;
        const auto* text = name->d.ia5;
        add(names, name->type == GEN_URI ? "uri:" : "dns:",
            {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
             static_cast<std::size_t>(ASN1_STRING_length(text))});
    }
}

void add_common_name(std::vector<std::string>& names, X509* certificate) {
    const auto* subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return;
    unsigned char* text = nullptr;
    int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size > 0) add(names, "cn:", {reinterpret_cast<char*>(text), static_cast<std::size_t>(size)});
    if (size >= 0) OPENSSL_free(text);
}

}  // namespace

std::optional<std::vector<std::string>> names_of_peer(const ssl_st* session) {
    std::unique_ptr<X509, Release> certificate{SSL_get1_peer_certificate(session)};
    if (!certificate || SSL_get_verify_result(session) != X509_V_OK) return std::nullopt;
    std::vector<std::string> names;
    add_alternatives(names, certificate.get());
    add_common_name(names, certificate.get());
    return names;
}

}  // namespace boatswain::net
