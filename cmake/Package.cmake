# What `make install` and the Debian package hold. scripts/package.sh makes the package: cpack -G DEB.
#
# The prefix is /usr: CMakePresets.json.
# Man pages and completions are what the programs themselves print, so they are made when the package is.
# Of the build only the two programs are needed.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(deploy ${CMAKE_SOURCE_DIR}/deploy)

install(TARGETS boatswaind_program boatswain RUNTIME DESTINATION bin)
install(FILES ${deploy}/systemd/boatswain.service ${deploy}/systemd/boatswain-guard.service DESTINATION lib/systemd/system)
install(FILES ${deploy}/debian/boatswain.toml DESTINATION /etc/boatswain)
install(DIRECTORY DESTINATION /etc/boatswain/keys)
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md DESTINATION share/doc/boatswain)
install(FILES ${deploy}/debian/copyright DESTINATION share/doc/boatswain)
install(FILES ${deploy}/debian/lintian-overrides DESTINATION share/lintian/overrides RENAME boatswain)
install(DIRECTORY ${deploy}/marathon ${deploy}/kubernetes ${deploy}/swarm ${deploy}/nomad ${deploy}/prometheus ${deploy}/grafana
  DESTINATION share/doc/boatswain/examples)
install(CODE "
  set(programs \"${CMAKE_BINARY_DIR}\")
  set(made \"${CMAKE_BINARY_DIR}/package\")
  file(MAKE_DIRECTORY \"\${made}\")
  function(printed NAME)
    execute_process(COMMAND \${ARGN} OUTPUT_FILE \"\${made}/\${NAME}\" COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  foreach(program boatswain boatswaind)
    printed(\${program}.man \"\${programs}/\${program}\" --man)
    foreach(shell bash zsh fish)
      printed(\${program}.\${shell} \"\${programs}/\${program}\" completion \${shell})
    endforeach()
    file(INSTALL \"\${made}/\${program}.bash\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/bash-completion/completions\"
      RENAME \${program})
    file(INSTALL \"\${made}/\${program}.zsh\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/zsh/vendor-completions\"
      RENAME _\${program})
    file(INSTALL \"\${made}/\${program}.fish\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/fish/vendor_completions.d\")
  endforeach()
  execute_process(COMMAND gzip -9nc \"\${made}/boatswain.man\" OUTPUT_FILE \"\${made}/boatswain.1.gz\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9nc \"\${made}/boatswaind.man\" OUTPUT_FILE \"\${made}/boatswaind.8.gz\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9nc \"${deploy}/debian/changelog\" OUTPUT_FILE \"\${made}/changelog.gz\" COMMAND_ERROR_IS_FATAL ANY)
  file(INSTALL \"\${made}/changelog.gz\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/doc/boatswain\")
  file(INSTALL \"\${made}/boatswain.1.gz\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/man/man1\")
  file(INSTALL \"\${made}/boatswaind.8.gz\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/man/man8\")
")

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_VENDOR "Boatswain")
set(CPACK_PACKAGE_CONTACT "Boatswain <boatswain@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "containers' output, sealed for the tenant that it belongs to")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "Boatswain reads what every container of a Docker host prints, seals it with
the public key of its tenant (age and zstd), and stores it in a directory or
in S3. The host can seal and never open.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "docker.io | docker-ce")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${deploy}/debian/postinst ${deploy}/debian/prerm ${deploy}/debian/postrm ${deploy}/debian/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
include(CPack)
