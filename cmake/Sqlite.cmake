# SQLite::SQLite3. What ships links Debian's library. Sanitized builds compile SQLite themselves, from the source of that very package
# (scripts/sqlite.sh): the sanitizers see what threads do inside, and SQLite's own assertions say when a thread is in there without the
# lock, or leaves something behind (docs/decisions/0024-what-threads-share.md).
if(BOATSWAIN_SANITIZE STREQUAL "")
  find_package(SQLite3 3.40 REQUIRED)
  return()
endif()

enable_language(C)
execute_process(COMMAND ${CMAKE_SOURCE_DIR}/scripts/sqlite.sh OUTPUT_VARIABLE sqlite_source OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE sqlite_failed)
if(sqlite_failed)
  message(FATAL_ERROR "No SQLite for a sanitized build: scripts/sqlite.sh could not make its source (its words are above)")
endif()
add_library(sqlite_watched STATIC ${sqlite_source}/sqlite3.c)
target_include_directories(sqlite_watched SYSTEM PUBLIC ${sqlite_source})
# DEBUG: assertions, those of mutexes among them. API_ARMOR: calls that nobody may make are refused.
target_compile_definitions(sqlite_watched PRIVATE SQLITE_DEBUG SQLITE_ENABLE_API_ARMOR SQLITE_THREADSAFE=1)
# SQLite casts functions, as C programs do; our fuzzers need no coverage of it.
target_compile_options(sqlite_watched PRIVATE -w $<$<STREQUAL:${BOATSWAIN_SANITIZE},address>:-fno-sanitize=fuzzer-no-link,function>)
target_link_libraries(sqlite_watched PUBLIC Threads::Threads ${CMAKE_DL_LIBS} m)
add_library(SQLite::SQLite3 ALIAS sqlite_watched)
