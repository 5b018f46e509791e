# Headers that nearly every file of a sanitized build reads, compiled once. Most of what such a build waits for is these headers and the
# instrumentation of tests; see docs/decisions/0019-sanitized-builds.md for the figures.
#
# Not in release: a file that forgets an #include fails there, instead of leaning on what was compiled before.
#
# boatswain_precompiled(TARGET): for a library of src/. boatswain_quick(TARGET): for one of which no fuzz target knows: compiled as tests
# are. boatswain_test_code(TARGET): for an executable of tests.
# boatswain_library_code(FILES...): for files of the folder that are for the most part other people's templates.
if(BOATSWAIN_SANITIZE STREQUAL "")
  function(boatswain_precompiled TARGET)
  endfunction()
  function(boatswain_quick TARGET)
  endfunction()
  function(boatswain_test_code TARGET)
  endfunction()
  function(boatswain_library_code)
  endfunction()
  return()
endif()

set(standard_headers <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstdlib> <filesystem> <fstream> <functional> <map>
    <memory> <mutex> <optional> <random> <set> <span> <string> <string_view> <thread> <variant> <vector>)
# It is the code under test that fuzzing looks into and that has to be quick; not that of tests, nor that of libraries.
set(quick_options -O0 $<$<STREQUAL:${BOATSWAIN_SANITIZE},address>:-fno-sanitize=fuzzer-no-link>)
# The same for all, or it does not fit. And what it holds is no longer known to be a system's: libstdc++ 12 uses what it deprecates.
add_compile_options(-pthread -Wno-deprecated-declarations)
# Without its time, a precompiled header with the same content is the same (ccache).
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")

file(WRITE ${CMAKE_BINARY_DIR}/precompiled/empty.cc "")
file(WRITE ${CMAKE_BINARY_DIR}/precompiled/main.cc "int main() {}\n")
add_library(precompiled STATIC ${CMAKE_BINARY_DIR}/precompiled/empty.cc)
target_precompile_headers(precompiled PRIVATE ${standard_headers})
add_library(precompiled_quick STATIC ${CMAKE_BINARY_DIR}/precompiled/empty.cc)
target_compile_options(precompiled_quick PRIVATE ${quick_options})
target_precompile_headers(precompiled_quick PRIVATE ${standard_headers})
add_executable(precompiled_tests ${CMAKE_BINARY_DIR}/precompiled/main.cc)  # an executable: its code is -fPIE, as that of tests
target_compile_options(precompiled_tests PRIVATE ${quick_options})
target_link_libraries(precompiled_tests PRIVATE GTest::gtest GTest::gmock)
target_precompile_headers(precompiled_tests PRIVATE ${standard_headers} <gmock/gmock.h> <gtest/gtest.h>)

function(boatswain_precompiled TARGET)
  target_precompile_headers(${TARGET} REUSE_FROM precompiled)
endfunction()
function(boatswain_quick TARGET)
  target_compile_options(${TARGET} PRIVATE ${quick_options})
  target_precompile_headers(${TARGET} REUSE_FROM precompiled_quick)
endfunction()
function(boatswain_test_code TARGET)
  target_compile_options(${TARGET} PRIVATE ${quick_options})
  target_precompile_headers(${TARGET} REUSE_FROM precompiled_tests)
endfunction()
function(boatswain_library_code)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${quick_options}" SKIP_PRECOMPILE_HEADERS ON)
endfunction()
