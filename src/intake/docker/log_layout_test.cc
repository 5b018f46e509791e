#include "intake/docker/log_layout.h"

#include <gtest/gtest.h>

#include "base/directory_for_test.h"

namespace boatswain::intake::docker {
namespace {

const std::string id(engine::container_id_size, 'a');

TEST(LogLayout, IsAsTheEngineSays) {
    auto docker = layout_of({.root_dir = "/var/lib/docker", .storage_driver = "overlay2"}, {});
    EXPECT_EQ(docker.log_of(id), Path{"/var/lib/docker/containers"} / id / (id + "-json.log"));
    EXPECT_EQ(docker.reader(), "json-file");

    engine::EngineInfo info{.root_dir = "/var/lib/containers/storage", .podman = true, .storage_driver = "overlay"};
    auto podman = layout_of(info, {});
    EXPECT_EQ(podman.log_of(id), Path{"/var/lib/containers/storage/overlay-containers"} / id / "userdata/ctr.log");
    EXPECT_EQ(podman.reader(), "k8s-file");
    auto seen = layout_of(info, "/host/storage");
    EXPECT_EQ(seen.containers, "/host/storage/overlay-containers");
    EXPECT_EQ(seen.told, podman.containers);
    info.storage_driver.clear();
    EXPECT_TRUE(layout_of(info, {}).containers.empty());
}

TEST(LogLayout, TakesPodmansLogForItsOwnOnlyInItsOwnDirectory) {
    auto podman = layout_of({.root_dir = "/store", .podman = true, .storage_driver = "vfs"}, "/seen");
    engine::ContainerFacts facts;
    facts.id = id;
    facts.log_path = "/store/vfs-containers/" + id + "/userdata/ctr.log";
    EXPECT_TRUE(podman.is_told(facts));
    facts.log_path = "/etc/shadow";
    EXPECT_FALSE(podman.is_told(facts));
    EXPECT_TRUE(podman.holds("json-file") && podman.holds("k8s-file"));
    EXPECT_FALSE(podman.holds("journald"));
}

TEST(LogLayout, IsGuessedByWhatLiesThere) {
    boatswain::testing::TestDirectory place;
    auto root = place.path();
    EXPECT_FALSE(layout_at(root)->podman);  // may come
    std::filesystem::create_directories(root / "overlay-containers");
    EXPECT_EQ(layout_at(root)->containers, root / "overlay-containers");
    std::filesystem::create_directories(root / "vfs-containers");
    EXPECT_FALSE(layout_at(root));
    std::filesystem::create_directories(root / "containers");
    EXPECT_FALSE(layout_at(root)->podman);
}

}  // namespace
}  // namespace boatswain::intake::docker
