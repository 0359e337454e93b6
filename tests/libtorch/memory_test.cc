// Loading into a model that is there takes no second one, and saving takes what it has to gather.
#include "ingot/libtorch.h"

#include "tests/libtorch/torch_testing.h"
#include "tests/support/peak_memory.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch.h"

namespace ingot::libtorch::testing {
namespace {

using ingot::testing::kSanitized;
using ingot::testing::peak_memory_of;
using ingot::testing::Scratch;

struct OneParameter : torch::nn::Module {
  explicit OneParameter(std::int64_t bytes) {
    weight = register_parameter("weight", torch::full({bytes / 4}, 3.0F));
  }
  torch::Tensor weight;
};

TEST(LoadMemory, InPlaceNeedsNoSecondModel) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes memory of its own";
  constexpr std::int64_t kBytes = std::int64_t{256} << 20;
  const Scratch scratch;
  const std::string path = scratch.path("model.ingot");
  const auto saved = std::make_shared<OneParameter>(kBytes);
  save(path, TrainingState().module("model", *saved), quick());
  const auto model = std::make_shared<OneParameter>(kBytes);
  {
    const torch::NoGradGuard guard;
    model->weight.fill_(1);
  }
  auto state = TrainingState().module("model", *model);
  const std::uint64_t peak = peak_memory_of([&] { load(path, state); });
  EXPECT_LE(peak, std::uint64_t{kBytes} / 4);
  EXPECT_EQ(model->weight[12345].item<float>(), 3.0F);
}

TEST(SaveMemory, ViewsWithGapsTakeWhatIsWrittenOfThem) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes memory of its own";
  constexpr std::int64_t kColumns = 6000;
  constexpr std::int64_t kBytes = std::int64_t{256} << 20;
  const Scratch scratch;
  const std::string path = scratch.path("views.ingot");
  torch::Tensor matrix = torch::full({kBytes / 4 / kColumns, kColumns}, 3.0F);
  TensorDict views;
  views.insert("halves", matrix.slice(1, 0, kColumns, 2));
  views.insert("thirds", matrix.slice(1, 0, kColumns, 3));
  SaveOptions options = quick();
  options.writer.staging_bytes = std::uint64_t{16} << 20;
  const std::uint64_t peak = peak_memory_of([&] { save_tensors(path, views, options); });
  EXPECT_LE(peak, std::uint64_t{kBytes} + kBytes / 4);

  const torch::Tensor halves = load_tensors(path)["halves"];
  const torch::Tensor stored = halves.as_strided({matrix.size(0) - 1, kColumns}, {kColumns, 1});
  for (const std::int64_t column : {1, 5}) matrix.slice(1, column, kColumns, 6).zero_();
  EXPECT_TRUE(torch::equal(stored, matrix.slice(0, 0, -1)));
}

}  // namespace
}  // namespace ingot::libtorch::testing
