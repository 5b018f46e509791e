// An answer on its way from a cell to its server, over the channel of its question.
//
// Belongs to the thread that answers.
#pragma once

#include <string>

#include "api/questions.h"
#include "cell/channel.h"
#include "http/pieces.h"

namespace boatswain::cell {

class ChannelWriter final : public http::PieceWriter {
  public:
    ChannelWriter(Channel& channel, http::Coding coding) : PieceWriter(coding), channel_(channel) {}

    bool has_sent() const override { return has_sent_; }
    // The answer where none was sent in pieces, and the end. An error: nobody takes it.
    Result<void> end(api::Reply reply);

  private:
    void take(http::Answer head) override { head_ = std::move(head); }
    bool take(std::string piece) override;
    Result<void> send_pieces(std::string_view bytes);

    Channel& channel_;
    http::Answer head_;
    bool has_sent_ = false;
};

}  // namespace boatswain::cell
