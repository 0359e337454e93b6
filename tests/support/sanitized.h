// Whether this build runs under a sanitizer, which takes memory and address space of its own.
#pragma once

namespace ingot::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace ingot::testing
