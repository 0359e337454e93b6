#include "loader/verify_errors.h"

#include <algorithm>
#include <utility>

namespace ingot::loader {

VerifyErrors::VerifyErrors(const Checkpoint::State& state, const VerifyOptions& options)
    : state_(state),
      keep_going_(options.keep_going),
      capacity_(options.keep_going ? options.max_errors : 1) {}

void VerifyErrors::add(std::uint64_t begin, std::uint32_t storage, ErrorBuilder error) {
  insert({begin, storage, std::move(error), {}});
}

void VerifyErrors::add(std::uint64_t begin, const Status& error) {
  insert({begin, Item::kNoStorage, make_error(error.code(), {}), error});
}

void VerifyErrors::insert(Entry entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++count_;
  if (entry.begin < first_.load(std::memory_order_relaxed)) {
    first_.store(entry.begin, std::memory_order_relaxed);
  }
  if (entries_.size() == capacity_) {
    if (entries_.empty() || !(entry < entries_.front())) return;
    std::pop_heap(entries_.begin(), entries_.end());
    entries_.pop_back();
  }
  entries_.push_back(std::move(entry));
  std::push_heap(entries_.begin(), entries_.end());
}

// One pass over the tensors, however many errors there are.
void VerifyErrors::name_tensors() {
  std::vector<std::pair<std::uint32_t, Entry*>> open;
  for (Entry& entry : entries_) {
    if (entry.storage != Item::kNoStorage) open.emplace_back(entry.storage, &entry);
  }
  std::sort(open.begin(), open.end());
  std::vector<bool> named(open.size());
  std::size_t left = open.size();
  const auto give = [&](std::uint32_t storage, std::string_view name) {
    auto at = std::lower_bound(
        open.begin(), open.end(), storage,
        [](const auto& entry, std::uint32_t number) { return entry.first < number; });
    for (; at != open.end() && at->first == storage; ++at) {
      const auto i = static_cast<std::size_t>(at - open.begin());
      if (named[i]) return;
      named[i] = true;
      at->second->error.tensor(name);
      --left;
    }
  };
  const format::IndexView& index = state_.index;
  for (std::uint32_t i = 0; i < index.tensor_count() && left > 0; ++i) {
    const TensorInfo tensor = index.tensor(i);
    give(tensor.storage, tensor.name);
    if (!tensor.quantization ||
        tensor.quantization->scheme == QuantizationScheme::kPerTensorAffine) {
      continue;
    }
    give(tensor.quantization->scales_storage, tensor.name);
    give(tensor.quantization->zero_points_storage, tensor.name);
  }
  for (std::uint32_t i = 0; i < index.attachment_count() && left > 0; ++i) {
    const AttachmentInfo attachment = index.attachment(i);
    give(attachment.storage, attachment.name);
  }
}

void VerifyErrors::finish(VerifyReport* report) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::sort_heap(entries_.begin(), entries_.end());
  name_tensors();
  for (const Entry& entry : entries_) {
    report->errors.push_back(entry.whole.ok() ? entry.error.status() : entry.whole);
  }
  // What other threads found after the first error depends on chance.
  report->error_count = keep_going_ ? count_ : entries_.size();
}

}  // namespace ingot::loader
