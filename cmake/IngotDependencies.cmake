# What the core needs: FlatBuffers (headers and flatc), xxHash, OpenSSL's libcrypto (SHA-256), threads; liburing where it is.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_package(Flatbuffers CONFIG QUIET)
if(NOT Flatbuffers_FOUND)
  find_package(FlatBuffers CONFIG QUIET)
endif()
find_program(INGOT_FLATC flatc REQUIRED)
find_path(INGOT_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h REQUIRED)

pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_path(INGOT_XXH_DISPATCH_INCLUDE xxh_x86dispatch.h)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)

pkg_check_modules(URING IMPORTED_TARGET liburing)
if(NOT URING_FOUND)
  message(STATUS "ingot: liburing not found; direct I/O will use threads instead of io_uring")
endif()
