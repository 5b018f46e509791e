# Headers that nearly every file reads, compiled once. Most of what a build waits for is these headers and, with sanitizers, the
# instrumentation of tests; see docs/decisions/0019-sanitized-builds.md for the figures.
#
# A file that forgets an #include would lean on them: structure.standard_includes finds it.
#
# boatswain_precompiled(TARGET [NET]): for a library of src/, with NET for one that knows Asio. boatswain_quick(TARGET [NET]): for one of
# which no fuzz target knows: with sanitizers it is compiled as tests are. boatswain_test_code(TARGET [NET]): for an executable of tests.
# boatswain_library_code(FILES...): for files of the folder that are for the most part other people's templates.
set(standard_headers <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstdlib> <filesystem> <fstream> <functional> <map>
    <memory> <mutex> <optional> <random> <set> <span> <string> <string_view> <thread> <variant> <vector>)
set(net_headers <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp>
    <boost/asio/use_awaitable.hpp>)
# It is the code under test that fuzzing looks into and that has to be quick; not that of tests, nor that of libraries.
set(quick_options "")
if(BOATSWAIN_SANITIZE)
  set(quick_options -O0 $<$<STREQUAL:${BOATSWAIN_SANITIZE},address>:-fno-sanitize=fuzzer-no-link>)
endif()
# The same for all, or it does not fit. And what it holds is no longer known to be a system's: libstdc++ 12 uses what it deprecates.
add_compile_options(-pthread -Wno-deprecated-declarations)
# Without its time, a precompiled header with the same content is the same (ccache).
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")

file(WRITE ${CMAKE_BINARY_DIR}/precompiled/empty.cc "")
file(WRITE ${CMAKE_BINARY_DIR}/precompiled/main.cc "int main() {}\n")
foreach(net "" _net)
  add_library(precompiled${net} STATIC ${CMAKE_BINARY_DIR}/precompiled/empty.cc)
  add_library(precompiled_quick${net} STATIC ${CMAKE_BINARY_DIR}/precompiled/empty.cc)
  add_executable(precompiled_tests${net} ${CMAKE_BINARY_DIR}/precompiled/main.cc)  # an executable: its code is -fPIE, as that of tests
  foreach(kind "" _quick _tests)
    set(target precompiled${kind}${net})
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
    target_precompile_headers(${target} PRIVATE ${standard_headers})
    if(kind)
      target_compile_options(${target} PRIVATE ${quick_options})
    endif()
    if(kind STREQUAL _tests)
      target_link_libraries(${target} PRIVATE GTest::gtest GTest::gmock)
      target_precompile_headers(${target} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    if(net)
      target_link_libraries(${target} PRIVATE boatswain_asio)
      target_precompile_headers(${target} PRIVATE ${net_headers})
    endif()
    if(net AND kind STREQUAL _tests)
      target_link_libraries(${target} PRIVATE boatswain_net)  # it is linked, and Asio's headers name what is in there
    endif()
  endforeach()
endforeach()

# precompiled_for(KIND TARGET [NET])
function(precompiled_for KIND TARGET)
  set(net "")
  if("NET" IN_LIST ARGN)
    set(net _net)
  endif()
  target_precompile_headers(${TARGET} REUSE_FROM precompiled${KIND}${net})
endfunction()
function(boatswain_precompiled TARGET)
  precompiled_for("" ${TARGET} ${ARGN})
endfunction()
function(boatswain_quick TARGET)
  if(NOT BOATSWAIN_SANITIZE)
    boatswain_precompiled(${TARGET} ${ARGN})
    return()
  endif()
  target_compile_options(${TARGET} PRIVATE ${quick_options})
  precompiled_for(_quick ${TARGET} ${ARGN})
endfunction()
function(boatswain_test_code TARGET)
  target_compile_options(${TARGET} PRIVATE ${quick_options})
  precompiled_for(_tests ${TARGET} ${ARGN})
endfunction()
function(boatswain_library_code)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${quick_options}" SKIP_PRECOMPILE_HEADERS ON)
endfunction()
