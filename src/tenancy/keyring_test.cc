#include "tenancy/keyring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace boatswain::tenancy {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

crypto::Recipient recipient(std::uint8_t number) {
    std::array<std::uint8_t, 32> key{};
    key.fill(number);
    return crypto::Recipient{key};
}

class KeyringTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "boatswain-keyring.XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory = pattern;
    }
    void TearDown() override { fs::remove_all(directory); }

    void write(const std::string& name, const std::string& text) {
        std::ofstream{directory / name} << text;
        ::chmod((directory / name).c_str(), 0644);
    }
    void write(const std::string& name, std::initializer_list<std::uint8_t> numbers) {
        std::string text = "# made by a test\n";
        for (auto number : numbers) text += recipient(number).str() + "\n";
        write(name, text);
    }
    std::vector<std::string> reload(Keyring& keyring) {
        auto problems = keyring.reload();
        EXPECT_TRUE(problems) << problems.error().what;
        return problems ? *problems : std::vector<std::string>{};
    }
    static std::vector<crypto::Recipient> of(const Keyring& keyring, const std::string& tenant) {
        return keyring.recipients(*TenantId::parse(tenant));
    }

    Path directory;
};

TEST_F(KeyringTest, GivesEachTenantItsRecipientsAndBreakGlassToAll) {
    write("acme.pub", {1, 2});
    write("globex & söhne.pub", {3});
    write("_break-glass.pub", {9});
    write("_unassigned.pub", {8});
    write("README", "not a key");
    write(".hidden.pub", "not a key either");
    Keyring keyring{directory};
    EXPECT_THAT(reload(keyring), IsEmpty());
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1), recipient(2), recipient(9)));
    EXPECT_THAT(of(keyring, "globex & söhne"), ElementsAre(recipient(3), recipient(9)));
    EXPECT_THAT(keyring.recipients(TenantId::unassigned()), ElementsAre(recipient(8), recipient(9)));
    EXPECT_THAT(of(keyring, "nobody"), IsEmpty()) << "break-glass alone is no key of a tenant";
    EXPECT_THAT(keyring.tenants(), ElementsAre("acme", "globex & söhne"));

    auto keys = keyring.keys_for(*TenantId::parse("acme"));
    EXPECT_THAT(keys.tenant, ElementsAre(recipient(1), recipient(2), recipient(9)));
    EXPECT_THAT(keys.operators, ElementsAre(recipient(8), recipient(9)));
    EXPECT_THAT(keys.break_glass, ElementsAre(recipient(9)));
}

TEST_F(KeyringTest, HasNoKeysBeforeItIsReadAndInAnEmptyDirectory) {
    Keyring keyring{directory};
    EXPECT_THAT(of(keyring, "acme"), IsEmpty());
    EXPECT_THAT(reload(keyring), IsEmpty());
    EXPECT_THAT(keyring.tenants(), IsEmpty());
    EXPECT_EQ(keyring.generation(), 0U);
}

TEST_F(KeyringTest, NamesFileAndLineOfWhatItDoesNotUnderstand) {
    write("acme.pub", recipient(1).str() + "\nage1notarecipient\n");
    write("empty.pub", "# nothing\n\n");
    write("_odd.pub", {1});
    write("huge.pub", std::string(key_file_bytes_max + 1, '#'));
    fs::create_directory(directory / "folder.pub");
    ASSERT_EQ(::mkfifo((directory / "pipe.pub").c_str(), 0644), 0);
    fs::create_symlink("/nowhere/at/all", directory / "dangling.pub");
    Keyring keyring{directory};
    auto problems = reload(keyring);
    EXPECT_EQ(problems.size(), 7U);
    EXPECT_THAT(problems, Contains(AllOf(StartsWith("acme.pub: line 2: "), HasSubstr("not an age recipient"))));
    EXPECT_THAT(problems, Contains("empty.pub: holds no recipient"));
    EXPECT_THAT(problems, Contains(StartsWith("_odd.pub: tenant name \"_odd\": starts with '_'")));
    EXPECT_THAT(problems, Contains(AllOf(StartsWith("huge.pub: "), HasSubstr("longer than 65536 bytes"))));
    EXPECT_THAT(problems, Contains("folder.pub: is not a regular file"));
    EXPECT_THAT(problems, Contains("pipe.pub: is not a regular file"));
    EXPECT_THAT(problems, Contains("dangling.pub: cannot be found (a dangling link?)"));
    EXPECT_THAT(keyring.tenants(), IsEmpty()) << "a file with one bad line is not taken in part";
}

TEST_F(KeyringTest, RemembersOverRestartsWhoseFileWasRemovedUntilItIsBackOrGone) {
    auto last_good = Path{directory.string() + ".last"};
    const Timestamp first{std::chrono::hours{1}}, later{std::chrono::hours{2}};
    auto since = [](const Keyring& keyring, const std::string& tenant) {
        return keyring.keys_for(*TenantId::parse(tenant)).removed_since;
    };
    for (const auto* name : {"acme.pub", "globex.pub", "hooli.pub", "_unassigned.pub", "_break-glass.pub"})
        write(name, {1});
    {
        Keyring keyring{directory, last_good};
        reload(keyring);
        EXPECT_THAT(keyring.removed(), IsEmpty());
        for (const auto* name : {"acme.pub", "globex.pub", "_unassigned.pub", "_break-glass.pub"})
            fs::remove(directory / name);
        auto generation = keyring.generation();
        ASSERT_TRUE(keyring.reload(first));
        EXPECT_GT(keyring.generation(), generation);
        EXPECT_THAT(keyring.removed(), ElementsAre(testing::Pair("acme", first), testing::Pair("globex", first)))
            << "reserved names are nobody's lines";
        EXPECT_THAT(of(keyring, "acme"), IsEmpty());
        EXPECT_EQ(since(keyring, "nobody"), std::nullopt) << "it never had a file";
    }
    fs::rename(directory / "hooli.pub", directory / "hooli.gone");
    {
        Keyring keyring{directory, last_good};
        ASSERT_TRUE(keyring.reload(later));
        EXPECT_EQ(since(keyring, "acme"), first) << "not when this process saw it first";
        EXPECT_EQ(since(keyring, "hooli"), std::nullopt) << "gone on purpose";
        write("globex.gone", "");
        write("acme.pub", "age1typo\n");
        EXPECT_THAT(reload(keyring), ElementsAre(StartsWith("acme.pub: line 1: ")));
        EXPECT_THAT(keyring.removed(), ElementsAre(testing::Pair("acme", first))) << "a broken file is not back";
        EXPECT_THAT(keyring.keys_for(*TenantId::parse("acme")).held, HasSubstr("acme.pub is broken"));
        write("acme.pub", {2});
        EXPECT_THAT(reload(keyring), IsEmpty());
        EXPECT_THAT(keyring.removed(), IsEmpty());
        EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(2)));
        write("acme.gone", "");
        EXPECT_THAT(reload(keyring), ElementsAre(StartsWith("acme.gone: does not count"))) << "its key is there";
        EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(2)));
    }
    fs::remove(directory / "globex.gone");
    Keyring keyring{directory, last_good};
    reload(keyring);
    EXPECT_EQ(since(keyring, "globex"), std::nullopt) << "forgotten";
    fs::remove(last_good);
}

TEST_F(KeyringTest, AnIdentityInItIsRefusedAndTheKeysOfBeforeStay) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    reload(keyring);
    const std::string secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n";
    const std::pair<std::string, std::string> identities[] = {
        {"globex.pub", secret},
        {"globex.pub", "# " + secret + recipient(2).str() + "\n"},
        {"notes.txt", "a line\nage-secret-key-1qqqq"},
        {".globex.key.swp", secret},
        {"plugin", "AGE-PLUGIN-YUBIKEY-1QQQQ"},
        {"id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nQQQQ\n"},
        {"globex.key", "an encrypted one\n"},
        {"globex.KEY", ""},
    };
    write("hooli.pub", {3});
    for (const auto& [name, text] : identities) {
        write(name, text);
        EXPECT_TRUE(keyring.changed_on_disk()) << name;
        auto problems = keyring.reload();
        ASSERT_FALSE(problems) << name;
        EXPECT_EQ(problems.error().remedy, Remedy::stop);
        EXPECT_THAT(problems.error().what,
                    AllOf(HasSubstr("holds a private key: " + name + "."), testing::Not(HasSubstr("QQQQ"))));
        EXPECT_EQ(keyring.identities(), problems.error().what);
        EXPECT_THAT(keyring.broken(), ElementsAre(HasSubstr(name))) << "the agent is not ready";
        EXPECT_FALSE(keyring.changed_on_disk()) << "it is not read again each second";
        EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
        EXPECT_THAT(of(keyring, "hooli"), IsEmpty());
        fs::remove(directory / name);
    }
    EXPECT_TRUE(keyring.changed_on_disk());
    EXPECT_THAT(reload(keyring), IsEmpty());
    EXPECT_THAT(keyring.identities(), IsEmpty());
    EXPECT_THAT(keyring.broken(), IsEmpty());
    EXPECT_THAT(of(keyring, "hooli"), ElementsAre(recipient(3)));
}

TEST_F(KeyringTest, NamesAFewOfManyIdentitiesAndOpensNoPipe) {
    for (int i = 0; i < 9; ++i) write("tenant-" + std::to_string(i) + ".key", "");
    ASSERT_EQ(::mkfifo((directory / "pipe.key").c_str(), 0644), 0);
    fs::create_directory(directory / "folder.key");
    Keyring keyring{directory};
    ASSERT_FALSE(keyring.reload());
    EXPECT_THAT(keyring.identities(), AllOf(HasSubstr("tenant-3.key and 5 more"), HasSubstr("take each for leaked")));
}

TEST_F(KeyringTest, KeepsWhatABrokenFileSaidBeforeAndSaysSo) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    reload(keyring);
    EXPECT_EQ(keyring.generation(), 1U);
    write("acme.pub", "age1broken\n");
    EXPECT_THAT(reload(keyring), ElementsAre(AllOf(StartsWith("acme.pub: line 1: "),
                                                   HasSubstr("; what it said before stays in force"))));
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
    EXPECT_EQ(keyring.generation(), 1U) << "nothing changed";
    write("acme.pub", {2});
    EXPECT_THAT(reload(keyring), IsEmpty());
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(2)));
    EXPECT_EQ(keyring.generation(), 2U);
}

TEST_F(KeyringTest, TakesAwayTheKeysOfAFileThatIsGone) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    reload(keyring);
    fs::remove(directory / "acme.pub");
    EXPECT_THAT(reload(keyring), IsEmpty());
    EXPECT_THAT(of(keyring, "acme"), IsEmpty());
    EXPECT_EQ(keyring.generation(), 2U);
}

TEST_F(KeyringTest, HoldsATenantWhoseFileIsThereAndWasNeverUnderstood) {
    write("_unassigned.pub", {9});
    write("globex.pub", {2});
    write("acme.pub", "# of acme\nage1typo\n");
    Keyring keyring{directory};
    reload(keyring);
    auto keys = keyring.keys_for(*TenantId::parse("acme"));
    EXPECT_THAT(keys.tenant, IsEmpty());
    EXPECT_THAT(keys.held, AllOf(HasSubstr("acme.pub"), HasSubstr("line 2")));
    EXPECT_THAT(keyring.broken(), ElementsAre(AllOf(StartsWith("acme.pub: line 2: "), HasSubstr("are held"))));
    EXPECT_EQ(keyring.keys_for(*TenantId::parse("globex")).held, "");
    EXPECT_EQ(keyring.keys_for(*TenantId::parse("nobody")).held, "") << "no file is not a broken one";
    auto generation = keyring.generation();
    write("acme.pub", {1});
    reload(keyring);
    EXPECT_EQ(keyring.keys_for(*TenantId::parse("acme")).held, "");
    EXPECT_THAT(keyring.broken(), IsEmpty());
    EXPECT_GT(keyring.generation(), generation);
    write("hooli.pub", "age1typo\n");
    generation = keyring.generation();
    reload(keyring);
    EXPECT_GT(keyring.generation(), generation) << "it is held from now on, and had no key before";
}

TEST_F(KeyringTest, HoldsEverybodyWhileBreakGlassIsBrokenAndTheOperatorsAlone) {
    write("acme.pub", {1});
    write("_break-glass.pub", "age1typo\n");
    Keyring keyring{directory};
    reload(keyring);
    for (const auto* tenant : {"acme", "nobody"})
        EXPECT_THAT(keyring.keys_for(*TenantId::parse(tenant)).held, HasSubstr("_break-glass.pub")) << tenant;
    EXPECT_THAT(keyring.keys_for(TenantId::unassigned()).operators_held, HasSubstr("_break-glass.pub"));
    fs::remove(directory / "_break-glass.pub");
    write("_unassigned.pub", "age1typo\n");
    reload(keyring);
    EXPECT_EQ(keyring.keys_for(*TenantId::parse("acme")).held, "");
    EXPECT_THAT(keyring.keys_for(*TenantId::parse("nobody")).operators_held, HasSubstr("_unassigned.pub"));
}

TEST_F(KeyringTest, KeepsWhatABrokenFileSaidBeforeOverARestart) {
    auto last_good = Path{directory.string() + ".last"};
    write("acme.pub", {1});
    write("globex.pub", {2});
    {
        Keyring keyring{directory, last_good};
        reload(keyring);
    }
    write("acme.pub", "age1typo\n");
    fs::remove(directory / "globex.pub");
    for (int starts = 0; starts < 3; ++starts) {
        Keyring keyring{directory, last_good};
        EXPECT_THAT(reload(keyring), ElementsAre(AllOf(StartsWith("acme.pub: line 1: "),
                                                       HasSubstr("; what it said before stays in force"))));
        EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
        EXPECT_EQ(keyring.keys_for(*TenantId::parse("acme")).held, "");
        EXPECT_THAT(keyring.broken(), ElementsAre(StartsWith("acme.pub: line 1: "))) << "not ready all the same";
        EXPECT_THAT(of(keyring, "globex"), IsEmpty()) << "a file that is gone takes its keys with it";
    }
    auto aside = directory.string() + ".aside";
    fs::rename(directory, aside);
    {
        Keyring keyring{directory, last_good};
        EXPECT_FALSE(keyring.reload());
        EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1))) << "nor does a directory that is away";
        EXPECT_THAT(keyring.keys_for(*TenantId::parse("globex")).held, HasSubstr("is not taken over"));
        EXPECT_THAT(keyring.broken(), ElementsAre(HasSubstr("the keys of before stay in force")));
    }
    fs::rename(aside, directory);
    {
        Keyring elsewhere{directory / "..", last_good};
        EXPECT_TRUE(elsewhere.reload());
        EXPECT_THAT(of(elsewhere, "acme"), IsEmpty()) << "it was another keyring's";
    }
    fs::remove(last_good);
}

TEST_F(KeyringTest, ReadsWhatAnotherProcessKeepsAndWritesNothingOfIt) {
    auto last_good = Path{directory.string() + ".last"};
    write("acme.pub", {1});
    {
        Keyring beside{directory, last_good, false};
        reload(beside);
        EXPECT_FALSE(fs::exists(last_good));
        Keyring keeper{directory, last_good};
        reload(keeper);
    }
    write("acme.pub", "age1typo\n");
    write("globex.pub", {2});
    auto before = fs::last_write_time(last_good);
    Keyring beside{directory, last_good, false};
    EXPECT_THAT(reload(beside), ElementsAre(HasSubstr("what it said before stays in force")));
    EXPECT_THAT(of(beside, "acme"), ElementsAre(recipient(1)));
    EXPECT_EQ(fs::last_write_time(last_good), before);
    fs::remove(last_good);
}

TEST_F(KeyringTest, HoldsEverybodyAsLongAsTheDirectoryWasNeverRead) {
    Keyring keyring{directory / "not-there"};
    EXPECT_FALSE(keyring.reload());
    EXPECT_THAT(keyring.keys_for(*TenantId::parse("acme")).held, HasSubstr("is not taken over"));
    EXPECT_THAT(keyring.keys_for(TenantId::unassigned()).operators_held, HasSubstr("is not taken over"));
}

TEST_F(KeyringTest, SaysThatAMemoryItCannotReadOrWriteIsNone) {
    write("acme.pub", {1});
    auto last_good = Path{directory.string() + ".last"};
    std::ofstream{last_good} << "nonsense\n";
    Keyring keyring{directory, last_good};
    EXPECT_THAT(reload(keyring), ElementsAre(HasSubstr("is not known")));
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
    fs::remove(last_good);
    Keyring unkept{directory, directory / "no/such/place"};
    EXPECT_THAT(reload(unkept), ElementsAre(HasSubstr("is not kept for the next start")));
    EXPECT_THAT(of(unkept, "acme"), ElementsAre(recipient(1)));
}

TEST_F(KeyringTest, SeesThatAFileMayBeReadNow) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    reload(keyring);
    ::chmod((directory / "acme.pub").c_str(), 0600);
    EXPECT_TRUE(keyring.changed_on_disk());
}

TEST_F(KeyringTest, KeepsEverythingWhenTheDirectoryCannotBeRead) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    reload(keyring);
    auto aside = directory.string() + ".aside";
    fs::rename(directory, aside);
    auto problems = keyring.reload();
    ASSERT_FALSE(problems);
    EXPECT_THAT(problems.error().what, AllOf(HasSubstr(directory.string()), HasSubstr("No such file")));
    EXPECT_TRUE(keyring.changed_on_disk());
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
    fs::rename(aside, directory);
    EXPECT_THAT(reload(keyring), IsEmpty());
}

TEST_F(KeyringTest, WarnsOfFilesAndDirectoriesThatOthersMayWriteTo) {
    write("acme.pub", {1});
    ::chmod((directory / "acme.pub").c_str(), 0664);
    Keyring keyring{directory};
    EXPECT_THAT(reload(keyring), ElementsAre("acme.pub: may be written to by group or others"));
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1))) << "a warning, no more";
    ::chmod((directory / "acme.pub").c_str(), 0644);
    ::chmod(directory.c_str(), 0777);
    EXPECT_THAT(reload(keyring),
                ElementsAre(directory.string() + ": the directory may be written to by group or others"));
}

// As Kubernetes mounts a Secret: links into "..data", which is itself a link that is replaced at once.
TEST_F(KeyringTest, FollowsLinksAndSeesThatTheirTargetWasReplaced) {
    fs::create_directory(directory / "..1");
    write("..1/acme.pub", {1});
    fs::create_directory_symlink("..1", directory / "..data");
    fs::create_symlink("..data/acme.pub", directory / "acme.pub");
    Keyring keyring{directory};
    EXPECT_THAT(reload(keyring), IsEmpty());
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
    EXPECT_FALSE(keyring.changed_on_disk());
    fs::create_directory(directory / "..2");
    write("..2/acme.pub", {2});
    fs::create_directory_symlink("..2", directory / "..data_tmp");
    fs::rename(directory / "..data_tmp", directory / "..data");
    EXPECT_TRUE(keyring.changed_on_disk());
    EXPECT_THAT(reload(keyring), IsEmpty());
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(2)));
}

TEST_F(KeyringTest, SeesEveryKindOfChangeOnDiskAndNoneWhereThereIsNone) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    EXPECT_TRUE(keyring.changed_on_disk()) << "not read yet";
    auto settled = [&] {
        reload(keyring);
        return !keyring.changed_on_disk();
    };
    EXPECT_TRUE(settled());
    write("acme.pub", {1, 2});
    EXPECT_TRUE(keyring.changed_on_disk()) << "another size";
    EXPECT_TRUE(settled());
    write("globex.pub", {3});
    EXPECT_TRUE(keyring.changed_on_disk()) << "a new file";
    EXPECT_TRUE(settled());
    fs::remove(directory / "globex.pub");
    EXPECT_TRUE(keyring.changed_on_disk()) << "a file less";
    EXPECT_TRUE(settled());
    auto time = fs::last_write_time(directory / "acme.pub");
    write("new", {5, 6});
    fs::last_write_time(directory / "new", time);
    fs::rename(directory / "new", directory / "acme.pub");
    EXPECT_TRUE(keyring.changed_on_disk()) << "another file of the same size and time";
    EXPECT_TRUE(settled());
    ::chmod((directory / "acme.pub").c_str(), 0666);
    EXPECT_TRUE(keyring.changed_on_disk()) << "others may write to it now";
}

// Names of files that are opened in a directory while this lives, in the order in which they are.
class Opens {
  public:
    explicit Opens(const Path& directory) : watch_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
        EXPECT_GE(::inotify_add_watch(watch_.get(), directory.c_str(), IN_OPEN), 0);
    }
    std::vector<std::string> take() {
        std::vector<std::string> names;
        alignas(inotify_event) char buffer[1 << 14];
        for (ssize_t n = 0; (n = ::read(watch_.get(), buffer, sizeof buffer)) > 0;)
            for (ssize_t at = 0; at < n;) {
                const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
                if (event->len > 0) names.emplace_back(event->name);
                at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
            }
        return names;
    }

  private:
    Fd watch_;
};

constexpr auto long_ago = std::chrono::hours{-1}, long_after = std::chrono::hours{1};

TEST_F(KeyringTest, OpensEachFileOnceAndThenOnlyWhatWasChanged) {
    write("acme.pub", {1});
    write("globex.pub", {2});
    write("hooli.pub", "age1typo\n");
    write("README", "not a key");
    Keyring keyring{directory};
    const auto later = SystemClock{}.now() + long_after;
    Opens opens{directory};
    ASSERT_TRUE(keyring.reload(later));
    EXPECT_THAT(opens.take(), testing::UnorderedElementsAre("README", "acme.pub", "globex.pub", "hooli.pub"));
    EXPECT_FALSE(keyring.changed_on_disk(later));
    write("globex.pub", {2, 3});
    (void)opens.take();
    EXPECT_TRUE(keyring.changed_on_disk(later));
    for (const auto& opened : {std::vector<std::string>{"globex.pub"}, std::vector<std::string>{}}) {
        auto problems = keyring.reload(later);
        ASSERT_TRUE(problems);
        EXPECT_THAT(opens.take(), testing::ElementsAreArray(opened));
        EXPECT_THAT(*problems, ElementsAre(StartsWith("hooli.pub: line 1: "))) << "it is still broken";
        EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
        EXPECT_THAT(of(keyring, "globex"), ElementsAre(recipient(2), recipient(3)));
        EXPECT_THAT(keyring.keys_for(*TenantId::parse("hooli")).held, HasSubstr("hooli.pub is broken"));
    }
}

TEST_F(KeyringTest, StillRefusesAnIdentityThatItDoesNotReadAgain) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    const auto later = SystemClock{}.now() + long_after;
    ASSERT_TRUE(keyring.reload(later));
    write("notes", "AGE-SECRET-KEY-1QQQQ");
    EXPECT_FALSE(keyring.reload(later));
    Opens opens{directory};
    EXPECT_FALSE(keyring.reload(later));
    EXPECT_THAT(opens.take(), IsEmpty());
    fs::remove(directory / "notes");
    EXPECT_TRUE(keyring.reload(later));
    EXPECT_THAT(opens.take(), IsEmpty());
    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
}

// Two changes within the grain of the file system's clock leave one stamp for two texts.
TEST_F(KeyringTest, ReadsAFileAgainThatWasChangedJustBeforeItWasRead) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    Opens opens{directory};
    const auto now = SystemClock{}.now();
    for (auto early : {now + long_ago, now}) {
        ASSERT_TRUE(keyring.reload(early));
        EXPECT_THAT(opens.take(), ElementsAre("acme.pub"));
        EXPECT_FALSE(keyring.changed_on_disk(early)) << "not each second";
    }
    EXPECT_TRUE(keyring.changed_on_disk(now + long_after)) << "once more without being asked to";
    ASSERT_TRUE(keyring.reload(now + long_after));
    EXPECT_THAT(opens.take(), ElementsAre("acme.pub"));
    EXPECT_FALSE(keyring.changed_on_disk(now + 2 * long_after)) << "that is enough";
    ASSERT_TRUE(keyring.reload(now + 2 * long_after));
    EXPECT_THAT(opens.take(), IsEmpty());
}

// What keeps a file from being read may leave no trace in its stamp.
TEST_F(KeyringTest, JudgesNoFileForGoodThatItCouldNotRead) {
    write("acme.pub", {1});
    struct stat found{};
    ASSERT_EQ(::stat((directory / "acme.pub").c_str(), &found), 0);
    const auto stamp = KeyFileStamp::of(found);
    const auto later = SystemClock{}.now() + long_after;
    KeyFileReader reader;
    EXPECT_TRUE(reader.read(directory, "acme.pub", stamp, later).lasts);
    fs::remove(directory / "acme.pub");
    auto file = reader.read(directory, "acme.pub", stamp, later);
    EXPECT_FALSE(file.lasts);
    EXPECT_THAT(file.trouble, HasSubstr("No such file"));
}

TEST_F(KeyringTest, NeverGivesMoreRecipientsThanASegmentCanHoldNorOneTwice) {
    write("acme.pub", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
    write("globex.pub", {1, 1, 20, 1});
    write("_break-glass.pub", {20, 21, 22, 23, 24, 25});
    Keyring keyring{directory};
    EXPECT_THAT(reload(keyring),
                ElementsAre(AllOf(StartsWith("acme.pub: with those of _break-glass.pub more than 20 recipients"))));
    EXPECT_EQ(of(keyring, "acme").size(), crypto::recipients_max);
    EXPECT_THAT(of(keyring, "globex"), ElementsAre(recipient(1), recipient(20), recipient(21), recipient(22),
                                                   recipient(23), recipient(24), recipient(25)));
}

TEST_F(KeyringTest, MayBeReadAndReloadedByManyThreads) {
    write("acme.pub", {1});
    Keyring keyring{directory};
    reload(keyring);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                if (t == 0)
                    (void)keyring.reload().has_value();
                else
                    EXPECT_THAT(of(keyring, "acme"), ElementsAre(recipient(1)));
                (void)keyring.changed_on_disk();
            }
        });
}

}  // namespace
}  // namespace boatswain::tenancy
