// Versions. The library's and the file format's are separate: a new library reads old files.
#pragma once

namespace ingot {

inline constexpr int kLibraryVersionMajor = 0;
inline constexpr int kLibraryVersionMinor = 1;
inline constexpr int kLibraryVersionPatch = 0;
inline constexpr const char* kLibraryVersion = "0.1.0";

// The format that this library writes (docs/format.md). Files of another major version are refused.
inline constexpr int kFormatVersionMajor = 1;
inline constexpr int kFormatVersionMinor = 0;

}  // namespace ingot
