# boatswain_part(NAME USES other parts... LIBS libraries...)
#
# One folder of src/ is one part: a static library of its *.cc files. USES names the parts it may include from; a test
# checks the #include lines against it (tests/structure). Beside each file lie its tests: *_test.cc make NAME_test,
# and each *_fuzz.cc a libFuzzer target, built with the address sanitizer and run for seconds as a test.
#
# Every header compiles alone: a test sees to it (tests/structure/headers.py).
set_property(GLOBAL PROPERTY BOATSWAIN_PARTS "")

# Parts whose objects several threads share: their tests carry the label `threads` too and are run with the thread
# sanitizer. Tests outside src/ join with add_dependencies(threads_tests TARGET) and the label.
set(BOATSWAIN_PARTS_WITH_THREADS base tenancy batch spool ship store canary query http hub follow oidc api cell intake_pod_watch)
add_custom_target(threads_tests)

# Parts without a parser of their own, and with nothing that takes long in tests: sanitized builds do not optimize them
# (Precompiled.cmake).
set(BOATSWAIN_QUICK_PARTS http_client spool ship canary sandbox boatswaind tool)

set(BOATSWAIN_LONG_TESTS intake_docker intake_json_file intake_engine_logs tool query fleet spool)

# boatswain_only_in(TARGET [SANITIZE...]): part of the ordinary build only where its tests are run (scripts/test.sh), with `release` for
# no sanitizer. Elsewhere it can still be named: cmake --build --preset release --target spool_test.
function(boatswain_only_in TARGET)
  set(here "${BOATSWAIN_SANITIZE}")
  if(here STREQUAL "")
    set(here release)
  endif()
  if(NOT here IN_LIST ARGN)
    set_target_properties(${TARGET} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

function(boatswain_part NAME)
  cmake_parse_arguments(PART "" "" "USES;LIBS;TEST_USES;TEST_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.cc$")  # main.cc is the executable's alone
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")

  set(target boatswain_${NAME})
  set(knows_asio "")
  if("net" IN_LIST PART_USES OR NAME STREQUAL "net")
    set(knows_asio NET)
  endif()
  if(sources)
    add_library(${target} STATIC ${sources})
    if(NAME IN_LIST BOATSWAIN_QUICK_PARTS)
      boatswain_quick(${target} ${knows_asio})
    else()
      boatswain_precompiled(${target} ${knows_asio})
    endif()
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR}/src)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  if(headers)
    target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${headers})
  endif()
  foreach(used ${PART_USES})
    target_link_libraries(${target} ${scope} boatswain_${used})
  endforeach()
  target_link_libraries(${target} ${scope} ${PART_LIBS})

  if(tests)
    add_executable(${NAME}_test ${tests})
    target_link_libraries(${NAME}_test PRIVATE ${target} GTest::gtest GTest::gmock GTest::gtest_main ${PART_TEST_LIBS})
    foreach(used ${PART_TEST_USES})
      target_link_libraries(${NAME}_test PRIVATE boatswain_${used})
    endforeach()
    target_compile_definitions(${NAME}_test PRIVATE BOATSWAIN_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors")
    boatswain_test_code(${NAME}_test ${knows_asio})
    boatswain_only_in(${NAME}_test address thread)
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
    set_tests_properties(${NAME} PROPERTIES TIMEOUT 900 LABELS unit)
    # What takes long begins first, so that no core is without work at the end.
    if(NAME IN_LIST BOATSWAIN_LONG_TESTS)
      set_tests_properties(${NAME} PROPERTIES COST 60)
    endif()
    if(NAME IN_LIST BOATSWAIN_PARTS_WITH_THREADS)
      set_tests_properties(${NAME} PROPERTIES LABELS "unit;threads")
      add_dependencies(threads_tests ${NAME}_test)
    endif()
  endif()

  if(BOATSWAIN_SANITIZE STREQUAL "address")
    foreach(fuzzer ${fuzzers})
      get_filename_component(name ${fuzzer} NAME_WE)
      add_executable(${name} ${fuzzer})
      target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${name} PRIVATE ${target})
      foreach(used ${PART_TEST_USES})
        target_link_libraries(${name} PRIVATE boatswain_${used})
      endforeach()
      set(corpus ${CMAKE_BINARY_DIR}/corpus/${name})
      file(MAKE_DIRECTORY ${corpus})
      set(seeds ${CMAKE_SOURCE_DIR}/tests/vectors/fuzz/${name})
      if(NOT EXISTS ${seeds})
        set(seeds "")
      endif()
      add_test(NAME ${name} COMMAND ${name} -max_total_time=3 -print_funcs=0 -timeout=10 -rss_limit_mb=2048 -max_len=65536 ${corpus} ${seeds})
      set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
    endforeach()
  endif()

  set_property(GLOBAL APPEND PROPERTY BOATSWAIN_PARTS "${NAME}=${PART_USES}")
endfunction()
