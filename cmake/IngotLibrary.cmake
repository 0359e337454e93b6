# ingot::ingot, the core: one library made of the rooms' objects.
add_library(ingot)
foreach(room IN LISTS INGOT_ROOMS)
  target_sources(ingot PRIVATE $<TARGET_OBJECTS:ingot_${room}>)
endforeach()
add_library(ingot::ingot ALIAS ingot)
set_target_properties(ingot PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION 0)
target_compile_features(ingot PUBLIC cxx_std_20)
target_link_libraries(ingot PRIVATE PkgConfig::XXHASH OpenSSL::Crypto Threads::Threads)
if(URING_FOUND)
  target_link_libraries(ingot PRIVATE PkgConfig::URING)
endif()
if(INGOT_SANITIZE)
  target_link_options(ingot PRIVATE -fsanitize=${INGOT_SANITIZE})
endif()
# Public headers, listed by hand: what is not here is not public.
target_sources(ingot PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES
  "${PROJECT_SOURCE_DIR}/include/ingot/bus_guard.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/checkpoint.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/device.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/device_writer.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/digest.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/directory.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/dtype.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/exceptions.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/ingot.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/load_plan.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/optimizer.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/progress.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/repair.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/state.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/status.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/stream.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/tensor.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/verify.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/version.h"
  "${PROJECT_SOURCE_DIR}/include/ingot/writer.h")
set_target_properties(ingot PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
