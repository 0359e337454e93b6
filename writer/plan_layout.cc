#include "writer/plan_layout.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <utility>

#include "base/error.h"
#include "format/constants.h"

namespace ingot::writer {
namespace {

constexpr std::size_t kSections = format::kAttachmentRole + 1;  // role 0 is none
constexpr std::uint32_t kUnplaced = ~std::uint32_t{0};

class Planner {
 public:
  Planner(const WritePlan& plan, const WriterOptions& options, std::string_view path)
      : plan_(plan), path_(path), placing_(options.chunk_bytes, options.alignment) {}

  Result<PlanLayout> run() {
    section_of_.assign(plan_.storage_bytes().size(), 0);
    collect_tensors();
    collect_attachments();
    INGOT_RETURN_IF_ERROR(check_all_used());
    INGOT_RETURN_IF_ERROR(place_storages());
    return std::move(layout_);
  }

 private:
  static std::size_t index(StorageId storage) { return static_cast<std::size_t>(storage); }

  // The first reference decides the section.
  void refer(StorageId storage, std::uint8_t role) {
    if (section_of_[index(storage)] != 0) return;
    section_of_[index(storage)] = role;
    sections_[role].push_back(storage);
  }

  void collect_tensors() {
    for (const TensorSpec& spec : plan_.tensors()) {
      const auto role = static_cast<std::uint8_t>(spec.role);
      refer(*spec.storage, role);
      if (!spec.quantization) continue;
      if (spec.quantization->scales) refer(*spec.quantization->scales, role);
      if (spec.quantization->zero_points) refer(*spec.quantization->zero_points, role);
    }
  }

  void collect_attachments() {
    std::vector<std::uint32_t>& by_name = layout_.attachments;
    by_name.resize(plan_.attachments().size());
    std::iota(by_name.begin(), by_name.end(), 0u);
    std::sort(by_name.begin(), by_name.end(), [&](std::uint32_t a, std::uint32_t b) {
      return plan_.attachments()[a].name < plan_.attachments()[b].name;
    });
    for (const std::uint32_t i : by_name) {
      refer(plan_.attachments()[i].storage, format::kAttachmentRole);
    }
  }

  Status check_all_used() const {
    const auto unused = std::find(section_of_.begin(), section_of_.end(), std::uint8_t{0});
    if (unused == section_of_.end()) return {};
    return make_error(Code::kInvalidArgument, "a storage to which no tensor refers")
        .file(path_)
        .found("storage " + std::to_string(unused - section_of_.begin()));
  }

  Status place_storages() {
    layout_.storage_number.assign(plan_.storage_bytes().size(), kUnplaced);
    layout_.storages.reserve(plan_.storage_bytes().size());
    for (std::uint8_t role = 1; role < kSections; ++role) {
      for (const StorageId storage : sections_[role]) {
        INGOT_RETURN_IF_ERROR(place(storage, role));
      }
    }
    layout_.data_end = placing_.end();
    layout_.padding_bytes = placing_.padding();
    layout_.chunks = placing_.chunks();
    return {};
  }

  Status place(StorageId storage, std::uint8_t role) {
    format::PlacedStorage placed;
    if (!placing_.place(plan_.storage_bytes()[index(storage)], &placed)) {
      return make_error(Code::kInvalidArgument, "the file would be larger than 2^63 bytes")
          .file(path_);
    }
    layout_.storage_number[index(storage)] = static_cast<std::uint32_t>(layout_.storages.size());
    layout_.storages.push_back({.offset = placed.offset,
                                .bytes = placed.bytes,
                                .first_chunk = placed.first_chunk,
                                .file = 0,
                                .role = role});
    layout_.data_bytes += placed.bytes;
    return {};
  }

  const WritePlan& plan_;
  std::string_view path_;
  format::DataLayout placing_;
  std::array<std::vector<StorageId>, kSections> sections_;
  std::vector<std::uint8_t> section_of_;  // by StorageId; 0 until something refers to it
  PlanLayout layout_;
};

}  // namespace

Result<PlanLayout> layout_plan(const WritePlan& plan, const WriterOptions& options,
                               std::string_view path) {
  return Planner(plan, options, path).run();
}

}  // namespace ingot::writer
