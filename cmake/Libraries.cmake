# Other people's work that we stand on (docs/decisions/0003-libraries.md).
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
include(Sqlite)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.5.4)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(FMT REQUIRED IMPORTED_TARGET fmt)
pkg_check_modules(CAP REQUIRED IMPORTED_TARGET libcap)
find_package(simdjson CONFIG REQUIRED)

# Asio and Beast compile their function bodies once, in src/net/libraries.cc, rather than inline in every unit that includes them.
add_library(boatswain_asio INTERFACE)
target_link_libraries(boatswain_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(boatswain_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                                                    BOOST_ASIO_NO_DEPRECATED)
