// The tables of docs/format.md say what the code says.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "ingot/dtype.h"

#include "format/constants.h"

namespace ingot::format {
namespace {

using Row = std::vector<std::string>;

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

Row cells(const std::string& line) {
  Row row;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) row.push_back(trimmed(cell));
  return row;
}

// Rows of the table after "<!-- table: NAME -->", without its head.
std::vector<Row> table(const std::string& name) {
  std::ifstream in("docs/format.md");
  EXPECT_TRUE(in) << "run from the repository's root";
  std::string line;
  while (std::getline(in, line) && line != "<!-- table: " + name + " -->") {
  }
  std::getline(in, line);
  std::getline(in, line);
  std::vector<Row> rows;
  while (std::getline(in, line) && line.starts_with("|")) rows.push_back(cells(line));
  EXPECT_FALSE(rows.empty()) << name;
  return rows;
}

TEST(SpecTables, Header) {
  namespace at = header_at;
  const std::map<std::string, std::size_t> offsets = {
      {"magic", at::kMagic},
      {"major", at::kMajor},
      {"minor", at::kMinor},
      {"header_bytes", at::kHeaderBytes},
      {"required_features", at::kRequiredFeatures},
      {"optional_features", at::kOptionalFeatures},
      {"file_bytes", at::kFileBytes},
      {"data_end", at::kDataEnd},
      {"digests_offset", at::kDigestsOffset},
      {"digests_bytes", at::kDigestsBytes},
      {"digests_digest", at::kDigestsDigest},
      {"index_offset", at::kIndexOffset},
      {"index_bytes", at::kIndexBytes},
      {"index_digest", at::kIndexDigest},
      {"chunk_log2", at::kChunkLog2},
      {"alignment_log2", at::kAlignmentLog2},
      {"reserved0", at::kReserved0},
      {"uuid", at::kUuid},
      {"save_id", at::kSaveId},
      {"root", at::kRoot},
      {"root_sha256", at::kRootSha256},
      {"reserved1", at::kReserved1},
      {"header_digest", at::kHeaderDigest},
  };
  const std::vector<Row> rows = table("header");
  EXPECT_EQ(rows.size(), offsets.size());
  std::size_t end = 0;
  for (const Row& row : rows) {
    ASSERT_TRUE(offsets.contains(row[3])) << row[3];
    EXPECT_EQ(std::stoul(row[0]), offsets.at(row[3])) << row[3];
    EXPECT_EQ(std::stoul(row[0]), end) << row[3] << ": no gap, no overlap";
    end = std::stoul(row[0]) + std::stoul(row[1]);
  }
  EXPECT_EQ(end, kPageBytes);
}

TEST(SpecTables, Magic) {
  const std::string content = table("header")[0][4];
  std::string hex = "`";
  for (const std::uint8_t byte : kMagic) {
    char text[4];
    std::snprintf(text, sizeof text, "%02X ", byte);
    hex += text;
  }
  hex.back() = '`';
  EXPECT_TRUE(content.starts_with(hex)) << content << " / " << hex;
}

TEST(SpecTables, ElementTypes) {
  const std::vector<Row> rows = table("dtypes");
  ASSERT_EQ(rows.size(), kLastDType);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto dtype = static_cast<DType>(i + 1);
    EXPECT_EQ(rows[i][0], std::to_string(i + 1));
    EXPECT_EQ(rows[i][1], dtype_name(dtype));
    EXPECT_EQ(rows[i][2], std::to_string(dtype_bits(dtype)));
    EXPECT_EQ(rows[i][3].starts_with("quantised"), is_quantized(dtype)) << rows[i][1];
  }
}

TEST(SpecTables, Limits) {
  const std::map<std::string, std::uint64_t> constants = {
      {"kPageBytes", kPageBytes},
      {"kMinChunkLog2", kMinChunkLog2},
      {"kMaxChunkLog2", kMaxChunkLog2},
      {"kMinAlignmentLog2", kMinAlignmentLog2},
      {"kMaxAlignmentLog2", kMaxAlignmentLog2},
      {"kLargeStorageBytes", kLargeStorageBytes},
      {"kMinStorageAlignment", kMinStorageAlignment},
      {"kMaxSmallAlignment", kMaxSmallAlignment},
      {"kRootInputBytes", kRootInputBytes},
      {"kMinIndexBytes", kMinIndexBytes},
      {"kMaxIndexBytes", kMaxIndexBytes},
      {"kMaxVerifierDepth", kMaxVerifierDepth},
      {"kMaxNameBytes", kMaxNameBytes},
      {"kMaxMediaTypeBytes", kMaxMediaTypeBytes},
      {"kMaxRank", kMaxRank},
      {"kMaxStateDepth", kMaxStateDepth},
      {"kMaxHashRun", kMaxHashRun},
  };
  const std::vector<Row> rows = table("limits");
  EXPECT_EQ(rows.size(), constants.size());
  for (const Row& row : rows) {
    ASSERT_TRUE(constants.contains(row[2])) << row[2];
    EXPECT_EQ(row[1], std::to_string(constants.at(row[2]))) << row[2];
  }
}

}  // namespace
}  // namespace ingot::format
