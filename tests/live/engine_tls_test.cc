// The engine's client over TCP and TLS against a real Docker engine (with_engine_tls.sh starts it).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "engine/client.h"

namespace boatswain::engine {
namespace {

using testing::HasSubstr;

class EngineTls : public testing::Test {
  protected:
    EngineTls() {
        const char* address = std::getenv("BOATSWAIN_TEST_ENGINE_TLS");
        if (!address) throw std::runtime_error("run by tests/live/with_engine_tls.sh");
        endpoint_ = {.address = address,
                     .ca_file = pki("ca.pem"),
                     .certificate_file = pki("client.pem"),
                     .key_file = pki("client-key.pem")};
    }
    static std::string pki(const std::string& file) {
        return std::string{std::getenv("BOATSWAIN_TEST_ENGINE_PKI")} + "/" + file;
    }

    Result<EngineInfo> negotiate() {
        boost::asio::io_context io;
        auto client = make_client(io.get_executor(), endpoint_);
        if (!client) return std::unexpected(client.error());
        std::optional<Result<EngineInfo>> result;
        boost::asio::co_spawn(io, (*client)->negotiate(), [&](std::exception_ptr failure, Result<EngineInfo> info) {
            EXPECT_FALSE(failure);
            result = std::move(info);
        });
        io.run();
        return std::move(*result);
    }

    Endpoint endpoint_;
};

TEST_F(EngineTls, TalksToAnEngineThatIsSignedByOurAuthority) {
    auto info = negotiate();
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_EQ(info->root_dir, std::getenv("BOATSWAIN_TEST_ENGINE_ROOT"));
}

TEST_F(EngineTls, RefusesAnEngineOfAnotherAuthority) {
    endpoint_.ca_file = pki("other-ca.pem");
    auto info = negotiate();
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().remedy, Remedy::stop);
    EXPECT_THAT(info.error().what, HasSubstr("certificate verify failed"));
}

TEST_F(EngineTls, RefusesACertificateForAnotherName) {
    endpoint_.address.replace(endpoint_.address.find("localhost"), 9, "127.0.0.1");
    auto info = negotiate();
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().remedy, Remedy::stop);
    EXPECT_THAT(info.error().what, HasSubstr("certificate verify failed"));
}

TEST_F(EngineTls, IsTurnedAwayWithoutTheRightCertificateOfItsOwn) {
    endpoint_.certificate_file = pki("other.pem");
    endpoint_.key_file = pki("other-key.pem");
    auto info = negotiate();
    ASSERT_FALSE(info);
    // With TLS 1.3 (RFC 8446 section 4.4.2.4) the engine refuses a certificate after our side of the handshake is done,
    // and closes. Its alert says why, unless the closed connection's reset overtakes it: then there is only that to
    // tell.
    bool reset =
        info.error().remedy == Remedy::back_off && info.error().what.find("reset by peer") != std::string::npos;
    EXPECT_TRUE(info.error().remedy == Remedy::stop || reset) << info.error().what;
}

TEST_F(EngineTls, NamesAFileThatIsNoKey) {
    endpoint_.key_file = pki("ca.pem");
    auto info = negotiate();
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().remedy, Remedy::stop);
    EXPECT_THAT(info.error().what, HasSubstr("ca.pem"));
}

TEST_F(EngineTls, SaysWhatItIsWhenTheEngineDoesNotSpeakTls) {
    // Plain HTTP against the TLS port.
    endpoint_.ca_file = endpoint_.certificate_file = endpoint_.key_file = "";
    auto info = negotiate();
    ASSERT_FALSE(info);
    EXPECT_THAT(info.error().what, HasSubstr("400"));
}

}  // namespace
}  // namespace boatswain::engine
