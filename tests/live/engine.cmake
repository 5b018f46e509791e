# Against a private Docker engine, which with_engine.sh starts and ends. Needs root and the packages docker.io and busybox-static.
find_program(BOATSWAIN_DOCKERD dockerd PATHS /usr/sbin)
add_executable(engine_client_live_test ${CMAKE_CURRENT_LIST_DIR}/engine_client_test.cc)
target_link_libraries(engine_client_live_test PRIVATE boatswain_engine GTest::gtest GTest::gmock GTest::gtest_main)
if(BOATSWAIN_DOCKERD)
  add_test(NAME engine_client_live COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_engine.sh $<TARGET_FILE:engine_client_live_test>)
  set_tests_properties(engine_client_live PROPERTIES LABELS live TIMEOUT 300)
endif()
