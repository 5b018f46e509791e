# Against a private Docker engine, which with_engine.sh starts and ends. Needs root and the packages docker.io and busybox-static.

function(boatswain_engine_test NAME SOURCE WRAPPER)
  add_executable(${NAME}_test ${CMAKE_CURRENT_LIST_DIR}/${SOURCE})
  boatswain_only_in(${NAME}_test release)
  target_link_libraries(${NAME}_test PRIVATE boatswain_engine GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${NAME} COMMAND ${CMAKE_CURRENT_LIST_DIR}/${WRAPPER} $<TARGET_FILE:${NAME}_test>)
  set_tests_properties(${NAME} PROPERTIES LABELS live TIMEOUT 300)
endfunction()

boatswain_engine_test(engine_client_live engine_client_test.cc with_engine.sh)
boatswain_engine_test(engine_tls_live engine_tls_test.cc with_engine_tls.sh)
