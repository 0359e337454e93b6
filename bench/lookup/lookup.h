// Look a tensor up by name, names in random order. Ceiling: hash the name, then two dependent cache
// misses in memory as large as the index.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/shapes.h"

namespace ingot::bench {

// The names of a shape in random order, one after another in memory, so that reading the question
// costs no cache miss of its own.
class Questions {
 public:
  explicit Questions(const Shape& shape);
  const std::vector<std::string_view>& names() const { return names_; }

 private:
  std::string text_;
  std::vector<std::string_view> names_;
};

void register_lookup_ingot(const Shape& shape, std::shared_ptr<const Questions> questions);
void register_lookup_ceiling(const Shape& shape, std::shared_ptr<const Questions> questions);
// std::unordered_map from name to number: what one would write oneself.
void register_lookup_hash_map(const Shape& shape, std::shared_ptr<const Questions> questions);

}  // namespace ingot::bench
