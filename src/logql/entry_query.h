// A query for lines, asked of entries that were read elsewhere: live ones.
#pragma once

#include "logql/evaluate.h"
#include "logql/query.h"
#include "logql/record.h"

namespace boatswain::logql {

// Belongs to one thread. `ground` and `query` are borrowed.
class EntryQuery {
  public:
    EntryQuery(const Ground& ground, const LogQuery& query);
    // Whether a source's lines can match.
    bool wants(const query::Origin& origin) const;
    // `record` becomes what the pipeline made of a line, until the next call; nullptr for what is no line.
    bool lets_through(const query::Entry& entry, const Record*& record);

  private:
    const Ground& ground_;
    const LogQuery& query_;
    const query::FilterPtr filter_;
    Record record_;
};

}  // namespace boatswain::logql
