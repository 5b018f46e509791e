# Engines of newer Debian suites (tests/support/engine.sh): a core of the live tests against each. 28.5 with the oldest API version that
# Docker 29 takes. trixie: 26.1, sid: 28.5 or later. Their packages are unpacked once, by the first test.
set(boatswain_engines_dir "/var/cache/boatswain-engines" CACHE PATH "Where engines of other Debian suites are unpacked")
set(boatswain_minimum_sid DOCKER_MIN_API_VERSION=1.44)

function(boatswain_on_engine SUITE NAME)
  set(name live_${SUITE}_${NAME})
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS live TIMEOUT 420 FIXTURES_REQUIRED engine_${SUITE} ENVIRONMENT
    "BOATSWAIN_BUILD=${CMAKE_BINARY_DIR};BOATSWAIN_TEST_ENGINE=${SUITE};BOATSWAIN_ENGINES=${boatswain_engines_dir};${boatswain_minimum_${SUITE}}")
endfunction()

foreach(suite trixie sid)
  boatswain_on_engine(${suite} unpack ${CMAKE_CURRENT_LIST_DIR}/../support/engine.sh unpack /tmp)
  set_tests_properties(live_${suite}_unpack PROPERTIES FIXTURES_SETUP engine_${suite} FIXTURES_REQUIRED "" TIMEOUT 1200)

  # Lines of every kind, rotation, `local`, --rm; kills; what the driver hands over; a container with long labels; the guard.
  boatswain_on_engine(${suite} lines /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/agent_lines_test.py
    SixtyContainers.test_each_line_of_sixty_containers_of_three_tenants_is_stored_once_under_its_tenant_byte_for_byte
    Lives.test_a_hundred_containers_that_live_for_a_moment_and_remove_themselves_are_complete)
  boatswain_on_engine(${suite} kills /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/agent_life_test.py
    AgentRestarts.test_nothing_is_lost_or_doubled_when_the_agent_is_killed_amid_output)
  boatswain_on_engine(${suite} driver /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/driver_test.py Bytes)
  boatswain_on_engine(${suite} labels /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/agent_long_labels_test.py)
  boatswain_on_engine(${suite} guard /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/guard_test.py DockerCommand AgentBehindGuard)
  # Events, inspect, list, logs and attach, call by call.
  boatswain_on_engine(${suite} client ${CMAKE_CURRENT_LIST_DIR}/with_engine.sh $<TARGET_FILE:engine_client_live_test>)
  # They measure against time.
  set_tests_properties(live_${suite}_lines live_${suite}_kills PROPERTIES RUN_SERIAL ON)
endforeach()

# Images in containerd's store, as Docker 29 has them by itself.
set_property(TEST live_sid_lines APPEND PROPERTY ENVIRONMENT BOATSWAIN_TEST_ENGINE_WITH=containerd-snapshotter)

# Engines whose containers are other users: 26.1 with userns-remap, and this machine's as a user's own.
boatswain_on_engine(trixie remapped /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/agent_other_users_test.py Remapped)
boatswain_agent_test(agent_other_users_test.py Rootless)
