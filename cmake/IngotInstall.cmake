# find_package(ingot) for others: the library, its headers, the package files, the command.
if(NOT INGOT_INSTALL)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/ingot")
install(TARGETS ingot EXPORT ingotTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT ingotTargets NAMESPACE ingot:: DESTINATION "${package_folder}")

# What a static libingot needs when a program is linked with it.
get_target_property(type ingot TYPE)
set(INGOT_IS_STATIC OFF)
if(type STREQUAL "STATIC_LIBRARY")
  set(INGOT_IS_STATIC ON)
endif()
set(INGOT_URING_PAIR "")
if(URING_FOUND)
  set(INGOT_URING_PAIR " URING:liburing")
endif()
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/ingot-config.cmake.in"
  "${PROJECT_BINARY_DIR}/ingot-config.cmake" INSTALL_DESTINATION "${package_folder}")
# Before 1.0 a minor version may break what was there.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ingot-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/ingot-config.cmake"
              "${PROJECT_BINARY_DIR}/ingot-config-version.cmake" DESTINATION "${package_folder}")

if(TARGET ingot_command)
  install(TARGETS ingot_command DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION "${CMAKE_INSTALL_DOCDIR}"
        FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
install(FILES "${PROJECT_SOURCE_DIR}/format/schema/index.fbs"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/ingot")
