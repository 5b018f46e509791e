// What is known of a source by which rules find out whose it is. An intake makes it, at its door, of what an engine, a
// path or a sender says; src/tenancy reads it. Values only.
//
// All text in it is hostile. What becomes of it says tenancy/rules.h.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace boatswain {

// Which words of a source are kept. All others are dropped while its description is parsed: its secrets are neither
// stored nor logged, and whoever starts containers does not choose how much memory they cost here.
struct WordFilter {
    using Keeps = std::function<bool(std::string_view)>;
    Keeps environment;  // by the variable's key: those that rules name
    Keeps label;        // by the label's key: those that rules name
    Keeps more_labels;  // others that are kept beside, as far as there is room
    Keeps mount;        // by where it is in a container
    // An empty one keeps nothing.
};

// Key and value of a word. One that a rule names and that is longer has word_too_long as its value: what is there is no
// answer, but it is there, and no weaker rule is asked in its place.
inline constexpr std::size_t word_bytes_max = 4U << 10;
inline constexpr std::string_view word_too_long = "\x01too long";
// Of labels that are kept beside, together. None of them takes the room of a named word.
inline constexpr std::size_t more_bytes_max = 16U << 10;

struct SourceFacts {
    std::string id;             // Source::id
    std::string name;           // for people: Source::name
    std::string image;          // as given to run: "nginx:1.25"; empty where there is none
    std::string image_id;       // "sha256:..." of what it was made from; empty when nobody says
    bool image_id_kept = true;  // false: described by a version of ours that did not keep the image's id
    std::map<std::string, std::string> labels;       // kept ones only
    std::map<std::string, std::string> environment;  // kept keys only; the last of repeated ones wins
    // What the platform says, and whoever starts a source cannot choose: "mesos:task" (tenancy/mesos_sandbox.h).
    std::map<std::string, std::string> attributes;
    std::size_t words_too_long = 0;  // that a rule names
    bool named_by_platform = false;  // its words are not its image's: a kubelet's path says them
};

// Puts labels and variables into facts, within the bounds. For whoever parses a description of a source.
class WordKeeper {
  public:
    WordKeeper(const WordFilter& filter, SourceFacts& facts) : filter_(filter), facts_(facts) {}
    void label(std::string_view key, std::string_view value);
    void environment(std::string_view entry);  // "KEY=VALUE"; what has no '=', or no key, sets nothing

  protected:
    const WordFilter& filter_;

  private:
    std::string_view bounded_value(std::string_view key, std::string_view value);

    SourceFacts& facts_;
    std::size_t more_labels_bytes_ = 0;
};

// Counts the word in `taken`, of at most more_bytes_max. False: there is no room, and nothing is counted.
bool take_word_room(std::size_t& taken, std::string_view key, std::string_view value);

}  // namespace boatswain
