# Flags that every target of this repository is built with; none is exported.
add_library(ingot_build_flags INTERFACE)
target_compile_features(ingot_build_flags INTERFACE cxx_std_20)
target_compile_options(ingot_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wswitch-enum -fno-strict-aliasing
  $<$<BOOL:${INGOT_WERROR}>:-Werror>
  # GCC 12 at -O3 sees overlaps in std::string that are not there (its bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
# The repository root and include/ are private: "format/index.h" and "ingot/status.h" in this tree.
target_include_directories(ingot_build_flags INTERFACE
  "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
if(INGOT_SANITIZE)
  target_compile_options(ingot_build_flags INTERFACE
    -fsanitize=${INGOT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    # GCC 12 with AddressSanitizer sees uninitialised members in std::regex that are not (its bug 105562).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(ingot_build_flags INTERFACE -fsanitize=${INGOT_SANITIZE})
  if(INGOT_SANITIZE MATCHES undefined)
    # The core has no RTTI: what it makes would look foreign to the tests, which have it.
    target_compile_options(ingot_build_flags INTERFACE -fno-sanitize=vptr)
  endif()
endif()
if(INGOT_FUZZ)
  target_compile_options(ingot_build_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_compile_definitions(ingot_build_flags INTERFACE INGOT_FUZZ=1)
endif()

# A room of the core: an object library without RTTI; it throws nothing, and needs no exceptions.
#   ingot_add_room(format SOURCES a.cc b.cc DEPENDS base [LINK lib...])
function(ingot_add_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "SOURCES;DEPENDS;LINK")
  add_library(ingot_${name} OBJECT ${ROOM_SOURCES})
  set_target_properties(ingot_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(ingot_${name} PRIVATE -fno-rtti $<$<NOT:$<BOOL:${INGOT_CORE_EXCEPTIONS}>>:-fno-exceptions>)
  target_link_libraries(ingot_${name} PRIVATE ingot_build_flags ${ROOM_LINK})
  foreach(room IN LISTS ROOM_DEPENDS)
    # Include paths of what a room stands on (generated headers); its objects are linked once, into the library.
    target_include_directories(ingot_${name} PRIVATE
      $<TARGET_PROPERTY:ingot_${room},INTERFACE_INCLUDE_DIRECTORIES>)
    add_dependencies(ingot_${name} ingot_${room})
  endforeach()
endfunction()

# A GoogleTest program, one ctest entry a program unless DISCOVER is given.
#   ingot_add_test(format_header SOURCES header_test.cc [LINK lib...] [LABELS l...] [TIMEOUT s])
function(ingot_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 TEST "" "TIMEOUT" "SOURCES;LINK;LABELS;ARGS")
  add_executable(${name}_test ${TEST_SOURCES})
  set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(${name}_test PRIVATE ingot ingot_build_flags ingot_test_support ${TEST_LINK})
  add_test(NAME ${name} COMMAND ${name}_test ${TEST_ARGS})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 600)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}"
                       WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()
