# How everything is compiled and linked.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror=unused-result
                    -Werror=return-type -g1 -fno-omit-frame-pointer)
# GNU statement forms and designated initialisers with missing fields are used on purpose.
add_compile_options(-Wno-missing-field-initializers -Wno-missing-designated-field-initializers)

if(BOATSWAIN_SANITIZE STREQUAL "address")
  # Coverage for the fuzz targets: without it in the parts they call, they would be blind.
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(BOATSWAIN_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
else()
  add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(BOATSWAIN_CCACHE ccache)
if(BOATSWAIN_CCACHE)
  # It knows of precompiled headers only when told that they may hold macros and times.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${BOATSWAIN_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${BOATSWAIN_CCACHE})
endif()
find_program(BOATSWAIN_MOLD mold)
if(BOATSWAIN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
