// The files of TLS, read into what connections are made with.
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/ssl/context.hpp>

#include "net/error.h"
#include "net/tls_context.h"

namespace boatswain::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

std::unexpected<Error> broken_tls(const error_code& code, const std::string& file) {
    auto error = fail_with(code, "TLS file " + file);
    error.error().remedy = Remedy::stop;
    return error;
}

Result<void> show_certificate(asio::ssl::context& context, const std::string& certificate, const std::string& key) {
    error_code code;
    context.use_certificate_chain_file(certificate, code);
    if (code) return broken_tls(code, certificate);
    context.use_private_key_file(key, asio::ssl::context::pem, code);
    if (code) return broken_tls(code, key);
    return {};
}

Result<void> ask_clients(asio::ssl::context& context, const ServerTlsFiles& files) {
    error_code code;
    context.load_verify_file(files.client_ca, code);
    if (code) return broken_tls(code, files.client_ca);
    auto* native = context.native_handle();
    // Clients with several certificates choose by it.
    if (auto* names = SSL_load_client_CA_file(files.client_ca.c_str())) SSL_CTX_set_client_CA_list(native, names);
    context.set_verify_mode(asio::ssl::verify_peer, code);
    if (code) return broken_tls(code, files.client_ca);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(native, 0);
    if (files.client_crl.empty()) return {};
    auto* store = SSL_CTX_get_cert_store(native);
    auto* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (lookup == nullptr || X509_load_crl_file(lookup, files.client_crl.c_str(), X509_FILETYPE_PEM) < 1)
        return fail(Remedy::stop, "TLS file " + files.client_crl + ": no list of revoked certificates (PEM, X509 CRL)");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return {};
}

Result<std::shared_ptr<asio::ssl::context>> server_context(const ServerTlsFiles& files) {
    TlsContext tls{asio::ssl::context::tls_server};
    auto& context = *tls.context;
    CHECK(show_certificate(context, files.certificate, files.key));
    if (SSL_CTX_check_private_key(context.native_handle()) != 1)
        return fail(Remedy::stop, "TLS file " + files.key + ": not the key of the certificate in " + files.certificate);
    // A client's own renegotiation only costs: TLS 1.3 has none.
    SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION);
    if (!files.client_ca.empty()) CHECK(ask_clients(context, files));
    return std::move(tls.context);
}

}  // namespace

TlsContext::TlsContext(asio::ssl::context::method side) : context(std::make_shared<asio::ssl::context>(side)) {
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
}

Result<std::unique_ptr<Tls>> make_tls(const TlsFiles& files) {
    auto tls = std::make_unique<TlsContext>(asio::ssl::context::tls_client);
    auto& context = *tls->context;
    error_code code;
    context.set_verify_mode(asio::ssl::verify_peer, code);
    if (code) return broken_tls(code, "settings");
    if (files.ca_file.empty()) {
        context.set_default_verify_paths(code);
    } else {
        context.load_verify_file(files.ca_file, code);
    }
    if (code) return broken_tls(code, files.ca_file);
    if (!files.certificate_file.empty()) {
        CHECK(show_certificate(context, files.certificate_file,
                               files.key_file.empty() ? files.certificate_file : files.key_file));
    } else if (!files.key_file.empty()) {
        return fail(Remedy::stop, "TLS file " + files.key_file + ": a key without a certificate");
    }
    return tls;
}

Result<std::unique_ptr<Tls>> make_server_tls(const ServerTlsFiles& files) {
    auto tls = std::make_unique<TlsContext>(asio::ssl::context::tls_server);
    CHECK(renew_server_tls(*tls, files));
    return tls;
}

Result<void> renew_server_tls(Tls& tls, const ServerTlsFiles& files) {
    TRY(auto context, server_context(files));
    static_cast<TlsContext&>(tls).context = std::move(context);
    return {};
}

}  // namespace boatswain::net
