#include "io/memory_inode.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked.h"

namespace ingot::io::memory {

void Content::set_page(std::uint64_t number, Page page) {
  if (number >= pages_.size()) {
    if (page == nullptr) return;
    pages_.resize(number + 1);
  }
  pages_[number] = std::move(page);
}

PageBytes& Content::unshared_page(std::uint64_t number) {
  if (number >= pages_.size()) pages_.resize(number + 1);
  Page& page = pages_[number];
  if (page == nullptr) {
    page = std::make_shared<PageBytes>();
  } else if (page.use_count() > 1) {
    page = std::make_shared<PageBytes>(*page);
  }
  return *page;
}

void Content::write_page(std::uint64_t number, std::uint64_t begin, Bytes bytes) {
  std::memcpy(unshared_page(number).data() + begin, bytes.data(), bytes.size());
}

void Content::set_length(std::uint64_t length) {
  const std::uint64_t pages = ceil_div(length, kPage);
  if (pages < pages_.size()) pages_.resize(pages);
  const std::uint64_t rest = length % kPage;
  if (rest != 0 && has_page(pages - 1) &&
      first_nonzero(Bytes(*pages_[pages - 1]).subspan(rest)) < kPage - rest) {
    std::memset(unshared_page(pages - 1).data() + rest, 0, kPage - rest);
  }
  length_ = length;
}

void Content::read(std::uint64_t offset, MutableBytes destination) const {
  std::size_t done = 0;
  while (done < destination.size()) {
    const std::uint64_t number = (offset + done) / kPage;
    const std::uint64_t begin = (offset + done) % kPage;
    const std::size_t part = std::min<std::size_t>(kPage - begin, destination.size() - done);
    if (has_page(number)) {
      std::memcpy(destination.data() + done, pages_[number]->data() + begin, part);
    } else {
      std::memset(destination.data() + done, 0, part);
    }
    done += part;
  }
}

FileStat Inode::stat() const {
  FileStat result;
  result.bytes = now.length();
  result.allocated_bytes = charged_pages() * kPage;
  result.inode = number;
  result.device = 1;
  result.links = links;
  result.modified_ns = modified_ns;
  result.permissions = permissions;
  result.kind = kind;
  return result;
}

std::uint64_t Inode::charged_pages() const {
  std::uint64_t count = reserved_pages;
  for (std::uint64_t i = reserved_pages; i < now.page_slots(); ++i)
    if (now.has_page(i)) ++count;
  return count;
}

void Inode::write(std::uint64_t offset, Bytes bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::uint64_t page = (offset + done) / kPage;
    const std::uint64_t begin = (offset + done) % kPage;
    const std::size_t part = std::min<std::size_t>(kPage - begin, bytes.size() - done);
    now.write_page(page, begin, bytes.subspan(done, part));
    dirty.insert(page);
    done += part;
  }
  if (offset + done > now.length()) now.set_length(offset + done);
}

void Inode::resize(std::uint64_t length) {
  // What a shorter length takes away is a change of those pages too.
  for (std::uint64_t i = length / kPage; i < now.page_slots(); ++i) {
    if (now.has_page(i) && length < now.length()) dirty.insert(i);
  }
  now.set_length(length);
  reserved_pages = std::min(reserved_pages, ceil_div(length, kPage));
}

void Inode::sync() {
  durable = now;
  dirty.clear();
}

void Inode::drop_dirty_pages() {
  for (const std::uint64_t page : dirty) now.set_page(page, durable.page(page));
  now.set_length(now.length());
  dirty.clear();
}

Page surviving_page(const Page& old_page, const Page& new_page, Fate fate, std::uint64_t tear) {
  if (fate == Fate::kLost) return old_page;
  if (fate == Fate::kKept) return new_page;
  const Page& head = fate == Fate::kTornHead ? new_page : old_page;
  const Page& tail = fate == Fate::kTornHead ? old_page : new_page;
  const std::size_t cut = tear * kSector;
  auto torn = std::make_shared<PageBytes>();
  if (head != nullptr) std::memcpy(torn->data(), head->data(), cut);
  if (tail != nullptr) std::memcpy(torn->data() + cut, tail->data() + cut, kPage - cut);
  return torn;
}

std::uint64_t surviving_length(std::uint64_t old_length, std::uint64_t new_length, Fate fate) {
  if (fate == Fate::kLost) return old_length;
  if (fate == Fate::kKept) return new_length;
  // Half of the way, or all but the last sector of it.
  const std::uint64_t low = std::min(old_length, new_length);
  const std::uint64_t way = std::max(old_length, new_length) - low;
  const std::uint64_t part = fate == Fate::kTornHead ? way / 2 : way - std::min(way, kSector);
  return low + align_down(part, kSector);
}

}  // namespace ingot::io::memory
