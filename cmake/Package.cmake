# What `make install` and the Debian package hold. scripts/package.sh makes the package: cpack -G DEB.
#
# The prefix is /usr: CMakePresets.json.
# Man pages and completions are what the programs themselves print, so they are made when the package is.
# Of the build only the two programs are needed.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(deploy ${CMAKE_SOURCE_DIR}/deploy)

# Two packages: `tools` is the reader's program, for a laptop, and `agent` is what a host needs; it depends on the other.
install(TARGETS boatswain RUNTIME DESTINATION bin COMPONENT tools)
install(TARGETS boatswaind_program RUNTIME DESTINATION bin COMPONENT agent)
install(FILES ${deploy}/systemd/boatswain.service ${deploy}/systemd/boatswain-guard.service DESTINATION lib/systemd/system
  COMPONENT agent)
install(FILES ${deploy}/debian/boatswain.toml DESTINATION /etc/boatswain COMPONENT agent)
install(DIRECTORY DESTINATION /etc/boatswain/keys COMPONENT agent)
# The pages link to each other and to the README by their places in the repository, so they keep them.
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md DESTINATION share/doc/boatswain COMPONENT agent)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION share/doc/boatswain COMPONENT agent)
install(FILES ${CMAKE_SOURCE_DIR}/docs/operate/reading.md ${CMAKE_SOURCE_DIR}/docs/operate/verify.md
  DESTINATION share/doc/boatswain-tools COMPONENT tools)
install(FILES ${deploy}/debian/copyright DESTINATION share/doc/boatswain COMPONENT agent)
install(FILES ${deploy}/debian/copyright DESTINATION share/doc/boatswain-tools COMPONENT tools)
install(FILES ${deploy}/debian/lintian-overrides DESTINATION share/lintian/overrides RENAME boatswain COMPONENT agent)
install(FILES ${deploy}/debian/lintian-overrides-tools DESTINATION share/lintian/overrides RENAME boatswain-tools COMPONENT tools)
install(DIRECTORY ${deploy}/marathon ${deploy}/kubernetes ${deploy}/swarm ${deploy}/nomad ${deploy}/prometheus ${deploy}/grafana
  DESTINATION share/doc/boatswain/examples COMPONENT agent)
# boatswain_printed(PROGRAM SECTION COMPONENT PACKAGE): its man page and completions, and its package's changelog.
function(boatswain_printed PROGRAM SECTION COMPONENT PACKAGE)
  install(CODE "
    set(program \"${PROGRAM}\")
    set(made \"${CMAKE_BINARY_DIR}/package\")
    set(prefix \"\${CMAKE_INSTALL_PREFIX}\")
    file(MAKE_DIRECTORY \"\${made}\")
    function(printed NAME)
      execute_process(COMMAND \${ARGN} OUTPUT_FILE \"\${made}/\${NAME}\" COMMAND_ERROR_IS_FATAL ANY)
    endfunction()
    printed(\${program}.man \"${CMAKE_BINARY_DIR}/\${program}\" --man)
    foreach(shell bash zsh fish)
      printed(\${program}.\${shell} \"${CMAKE_BINARY_DIR}/\${program}\" completion \${shell})
    endforeach()
    printed(\${program}.${SECTION}.gz gzip -9nc \"\${made}/\${program}.man\")
    printed(changelog.gz gzip -9nc \"${deploy}/debian/changelog\")
    file(INSTALL \"\${made}/\${program}.bash\" DESTINATION \"\${prefix}/share/bash-completion/completions\" RENAME \${program})
    file(INSTALL \"\${made}/\${program}.zsh\" DESTINATION \"\${prefix}/share/zsh/vendor-completions\" RENAME _\${program})
    file(INSTALL \"\${made}/\${program}.fish\" DESTINATION \"\${prefix}/share/fish/vendor_completions.d\")
    file(INSTALL \"\${made}/\${program}.${SECTION}.gz\" DESTINATION \"\${prefix}/share/man/man${SECTION}\")
    file(INSTALL \"\${made}/changelog.gz\" DESTINATION \"\${prefix}/share/doc/${PACKAGE}\")
  " COMPONENT ${COMPONENT})
endfunction()
boatswain_printed(boatswain 1 tools boatswain-tools)
boatswain_printed(boatswaind 8 agent boatswain)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_VENDOR "Boatswain")
set(CPACK_PACKAGE_CONTACT "Boatswain <boatswain@localhost>")
set(CPACK_COMPONENTS_ALL agent tools)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

set(CPACK_DEBIAN_AGENT_PACKAGE_NAME boatswain)
set(CPACK_DEBIAN_AGENT_DESCRIPTION
  "containers' output, sealed for the tenant that it belongs to
Boatswain reads what every container of a Docker host prints, seals it with
the public key of its tenant (age and zstd), and stores it in a directory or
in S3. The host can seal and never open. This package is for hosts.")
set(CPACK_DEBIAN_AGENT_PACKAGE_DEPENDS
  "adduser, ca-certificates, boatswain-tools (= ${CMAKE_PROJECT_VERSION})")
# Suggested, not recommended: apt would bring an engine to a host that has another one.
set(CPACK_DEBIAN_AGENT_PACKAGE_SUGGESTS "docker.io | docker-ce | moby-engine")
set(CPACK_DEBIAN_AGENT_PACKAGE_CONTROL_EXTRA
  ${deploy}/debian/postinst ${deploy}/debian/prerm ${deploy}/debian/postrm ${deploy}/debian/conffiles)

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME boatswain-tools)
set(CPACK_DEBIAN_TOOLS_DESCRIPTION
  "reads the logs that Boatswain sealed
The program of people: it makes keys, lists and prints a tenant's lines, and
proves that none is missing. It needs the store and a key, no agent.")
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "ca-certificates")
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "age, zstd")
# Its program was part of the package `boatswain`: an upgrade takes it over from there.
set(CPACK_DEBIAN_TOOLS_PACKAGE_REPLACES "boatswain (<= 0.1.0)")
include(CPack)
