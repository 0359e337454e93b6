// Blobs that ride along: the configuration that rebuilds a model, a TorchScript archive.
#include <torch/script.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using torch::Tensor;

class AttachmentsTest : public ::testing::Test {
 protected:
  std::string path() const { return scratch_.path("file.ingot"); }
  std::string text_of(const std::string& name) const { return load_attachment(path(), name); }

  ingot::testing::Scratch scratch_;
};

TEST_F(AttachmentsTest, ComeBackAsTheyWere) {
  const std::string config = "{\"name\": \"größe\\n\", \"layers\": 2}\n";
  const std::string bytes("\0\xFF\r\n", 4);
  save(path(),
       TrainingState()
           .attach("config.json", "application/json", config)
           .attach("tokenizer", "application/octet-stream", bytes)
           .attach("empty", "text/plain", ""),
       quick());
  EXPECT_EQ(text_of("config.json"), config);
  EXPECT_EQ(text_of("tokenizer"), bytes);
  EXPECT_EQ(text_of("empty"), "");
  const Checkpoint checkpoint = *Checkpoint::open(path());
  EXPECT_EQ(checkpoint.attachment_count(), 3U);
  EXPECT_EQ(checkpoint.find_attachment("config.json")->media_type, "application/json");
  EXPECT_FALSE(checkpoint.find_attachment("config"));
  EXPECT_EQ(code_of([&] { text_of("config"); }), Code::kNotFound);
}

// What rebuilds the architecture is read before there is a model, and without what training wants.
TEST_F(AttachmentsTest, AModelIsRebuiltFromItsConfiguration) {
  Net stored(9);
  torch::optim::SGD sgd(stored->parameters(), 0.5);
  int batch = 32;
  save(path(),
       TrainingState()
           .module("model", stored)
           .optimizer("sgd", sgd)
           .value("batch", batch)
           .attach("config.json", "application/json", R"({"width": 9})"),
       quick());
  const auto config = nlohmann::json::parse(text_of("config.json"));
  EXPECT_EQ(config.size(), 1U);
  Net live(config.at("width").get<std::int64_t>());
  EXPECT_TRUE(load(path(), TrainingState().module("model", live)).exact());
  expect_same(live->in->weight, stored->in->weight, "in.weight");
}

TEST_F(AttachmentsTest, ATorchScriptArchive) {
  const Tensor weight = torch::randn({3});
  torch::jit::Module module("Scaling");
  module.register_parameter("weight", weight, /*is_buffer=*/false);
  module.define("def forward(self, x):\n  return self.weight * x\n");
  std::ostringstream archive;
  module.save(archive);
  Net net;
  save(path(),
       TrainingState()
           .module("model", net)
           .module("script", module)
           .attach("script.pt", "application/zip", archive.str()),
       quick());

  std::istringstream content(text_of("script.pt"));
  EXPECT_TRUE(content.str() == archive.str());
  torch::jit::Module back = torch::jit::load(content);
  for (Tensor tensor : back.parameters()) tensor.data().zero_();
  // Its code is of the archive, its state of the file, like any module's.
  EXPECT_TRUE(load(path(), TrainingState().module("script", back)).exact());
  const Tensor x = torch::randn({3});
  EXPECT_TRUE(torch::equal(back.forward({x}).toTensor(), weight * x));
}

// Nobody runs or even reads an archive but the program.
TEST_F(AttachmentsTest, AnArchiveIsNeverLookedAt) {
  Net stored;
  save(path(),
       TrainingState().module("model", stored).attach("script.pt", "application/zip", "no archive"),
       quick());
  Net live;
  EXPECT_TRUE(load(path(), TrainingState().module("model", live)).exact());
  EXPECT_EQ(text_of("script.pt"), "no archive");
}

}  // namespace
}  // namespace ingot::libtorch::testing
