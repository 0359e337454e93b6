// The index as a whole, its storages, names and attachments: one case for every way to break a
// rule.
#include <algorithm>

#include "format/digest.h"
#include "format/validate.h"
#include "tests/format/validation_fixture.h"

namespace ingot::format {
namespace {

using testing::IndexDraft;
using testing::validate_index_copy;

using ValidateIndex = Validation;

TEST_F(ValidateIndex, AcceptsWhatIsRight) {
  EXPECT_THAT(HostileFile::rich().validate_index(), IsOk());
  EXPECT_THAT(HostileFile::minimal().validate_index(), IsOk());
}

TEST_F(ValidateIndex, ErrorsNameFileRuleAndRegion) {
  const Status status = validate_edited([](HostileIndex& index) { index.tensors[1].role = 0; });
  EXPECT_THAT(std::string(status.message()),
              ::testing::StartsWith("test.ingot: F-52: role in the index: tensor \"exp_avg\": "
                                    "expected 1 to 4, found 0"));
}

// F-12: the header says how long the index is.
TEST_F(ValidateIndex, LengthIsTheHeaders) {
  const HostileFile file = HostileFile::rich();
  std::vector<std::byte> bytes = file.index_bytes();
  const Header header = file.make_header();
  bytes.resize(bytes.size() + 8);
  EXPECT_THAT(validate_index_copy(bytes, header), StatusIs(Code::kRejected, HasSubstr("F-12")));
  bytes.resize(4);
  Header small = header;
  small.index_bytes = 4;
  EXPECT_THAT(validate_index_copy(bytes, small), StatusIs(Code::kRejected, HasSubstr("F-12")));
  EXPECT_THAT(validate_index_copy({}, header), StatusIs(Code::kRejected, HasSubstr("F-12")));
}

TEST_F(ValidateIndex, MisalignedMemoryIsTheCallersMistake) {
  const HostileFile file = HostileFile::rich();
  const std::vector<std::byte> bytes = file.index_bytes();
  std::vector<std::byte> shifted(bytes.size() + 8);
  std::copy(bytes.begin(), bytes.end(), shifted.begin() + 8);
  EXPECT_THAT(validate_index(Bytes(shifted).subspan(8), file.make_header(), {}, "x"),
              StatusIs(Code::kInvalidArgument));
}

// F-33
TEST_F(ValidateIndex, LimitsOfTheReader) {
  const HostileFile file = HostileFile::rich();
  const std::uint64_t bytes = file.index_bytes().size();
  const std::uint64_t tensors = file.index.tensors.size();
  EXPECT_THAT(file.validate_index({.max_index_bytes = bytes, .max_tensors = tensors}), IsOk());
  EXPECT_THAT(file.validate_index({.max_index_bytes = bytes - 1, .max_tensors = tensors}),
              StatusIs(Code::kRejected, HasSubstr("F-33")));
  EXPECT_THAT(file.validate_index({.max_index_bytes = bytes, .max_tensors = tensors - 1}),
              StatusIs(Code::kRejected, HasSubstr("F-33")));
}

// F-30
TEST_F(ValidateIndex, Identifier) {
  expect_rejected("F-30", [](HostileIndex& index) { index.identifier = "XGNI"; });
}

// F-30
TEST_F(ValidateIndex, RequiredFields) {
  expect_rejected("F-30", [](HostileIndex& index) { index.name_hashes.reset(); });
  expect_rejected("F-30", [](HostileIndex& index) { index.name_tensors.reset(); });
  expect_rejected("F-30", [](HostileIndex& index) { index.tensors[3].name.reset(); });
}

// F-30: whatever is cut off, nothing is read outside (AddressSanitizer watches). Only padding at
// the end is missed by nothing but the canonical form.
TEST_F(ValidateIndex, EveryTruncation) {
  HostileFile file = HostileFile::rich();
  const std::vector<std::byte> whole = file.index_bytes();
  const Header header = file.make_header();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Header shorter = header;
    shorter.index_bytes = length;
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(length));
    if (!validate_index_copy(cut, shorter).ok()) continue;
    EXPECT_GT(length + 8, whole.size());
    EXPECT_THAT(check_canonical(cut, "x"), StatusIs(Code::kRejected, HasSubstr("F-38")));
  }
}

// Every byte with other values: refused, or accepted and then not canonical, never a crash.
TEST_F(ValidateIndex, EveryByteChanged) {
  HostileFile file = HostileFile::rich();
  std::vector<std::byte> bytes = file.index_bytes();
  const Header header = file.make_header();
  int accepted = 0;
  for (std::byte& byte : bytes) {
    const std::byte before = byte;
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF, static_cast<int>(before) ^ 0x10}) {
      byte = static_cast<std::byte>(value);
      if (byte != before && validate_index_copy(bytes, header).ok()) ++accepted;
    }
    byte = before;
  }
  EXPECT_GT(accepted, 0) << "a scale, a media type or a value of the state may be anything";
}

// F-31: elements of a vector four bytes off, which a Verifier does not see.
TEST_F(ValidateIndex, MisalignedElements) {
  expect_rejected("F-31", [](HostileIndex& index) { index.misalign_shapes = true; });
  expect_rejected("F-31", [](HostileIndex& index) { index.misalign_storages = true; });
  expect_rejected("F-31", [](HostileIndex& index) { index.misalign_nodes = true; });
  // Only strides: no tensor has a shape, but one has strides, which is another error later on.
  expect_rejected("F-31", [](HostileIndex& index) {
    for (auto& tensor : index.tensors) tensor.shape.reset();
    index.misalign_shapes = true;
  });
}

// F-31: hashes, by hand.
TEST_F(ValidateIndex, MisalignedHashes) {
  HostileFile file = HostileFile::minimal();
  const std::vector<std::uint32_t> words = {
      20,          // root
      0x58474E49,  // INGX
      // vtable at 8: 12 bytes long, table of 20 bytes, four fields
      12u | (20u << 16), 4u | (8u << 16), 12u | (16u << 16),
      12,              // table at 20: vtable at 8
      16, 20, 24, 52,  // tensors at 40, storages at 48, hashes at 56 (elements at 60), ordinals
      0, 0,            // 40: no tensors
      0, 0,            // 48: no storages
      1, 2, 3,         // 56: one hash, at 60
      0, 0, 0, 0, 0, 0, 0, 0};
  const auto raw = std::as_bytes(std::span(words));
  file.raw_index.emplace(raw.begin(), raw.end());
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-31")));
}

// F-34
TEST_F(ValidateIndex, EmptyVectorsAreAbsent) {
  expect_rejected("F-34", [](HostileIndex& index) {
    index.attachments.emplace();
    index.storages.resize(index.storages.size() - 2);
  });
  expect_rejected("F-34",
                  [](HostileIndex& index) { tensor(index, "num_batches").shape.emplace(); });
  expect_rejected("F-34",
                  [](HostileIndex& index) { tensor(index, "num_batches").strides.emplace(); });
  auto without_strings = [](HostileIndex& index) {
    index.state->nodes = {{}};
    index.state->strings.reset();
    index.state->blobs.reset();
  };
  expect_accepted(without_strings);
  expect_rejected("F-34", [&](HostileIndex& index) {
    without_strings(index);
    index.state->strings.emplace();
  });
  expect_rejected("F-34", [&](HostileIndex& index) {
    without_strings(index);
    index.state->blobs.emplace();
  });
}

// F-35
TEST_F(ValidateIndex, FileTableNeedsItsFeature) {
  expect_rejected("F-35", [](HostileIndex& index) { index.files.emplace(); });
  expect_rejected("F-35", [](HostileIndex& index) { index.files = {{.name = "a.ingot"}}; });
}

// F-36
TEST_F(ValidateIndex, PiecesNeedTheirFeature) {
  expect_tensor_rejected("F-36", "exp_avg", [](auto& tensor) { tensor.pieces.emplace(); });
  expect_tensor_rejected("F-36", "exp_avg", [](auto& tensor) {
    tensor.pieces = {{.offsets = {0}, .sizes = {1}, .strides = {}}};
  });
}

// F-40
TEST_F(ValidateIndex, StoragesInOtherFilesAreUnsupported) {
  const Status status = validate_edited([](HostileIndex& index) { index.storages[2].file = 1; });
  EXPECT_THAT(status, StatusIs(Code::kUnsupported, HasSubstr("F-40: storage 2")));
}

// F-41
TEST_F(ValidateIndex, ReservedFieldsOfStorages) {
  expect_rejected("F-41", [](HostileIndex& index) { index.storages[0].reserved0 = 1; });
  expect_rejected("F-41", [](HostileIndex& index) { index.storages[1].reserved1 = 0x100; });
}

// F-42
TEST_F(ValidateIndex, RolesOfStoragesAscend) {
  expect_rejected("F-42", [](HostileIndex& index) { index.storages[0].role = 0; });
  expect_rejected("F-42", [](HostileIndex& index) { index.storages.back().role = 6; });
  expect_rejected("F-42", [](HostileIndex& index) { index.storages[0].role = 2; });
}

// F-43
TEST_F(ValidateIndex, StoragesLieWhereTheLayoutPutsThem) {
  expect_rejected("F-43", [](HostileIndex& index) { index.storages[0].offset = 0; });
  expect_rejected("F-43", [](HostileIndex& index) { index.storages[1].offset += 16; });  // hole
  expect_rejected("F-43", [](HostileIndex& index) { index.storages[1].offset -= 16; });  // overlap
  expect_rejected("F-43",
                  [](HostileIndex& index) { index.storages[1].offset += 1; });  // misaligned
  expect_rejected("F-43", [](HostileIndex& index) { index.storages[1].offset = ~0ull; });
  expect_rejected("F-43", [](HostileIndex& index) { index.storages[0].bytes = ~0ull; });
  expect_rejected("F-43", [](HostileIndex& index) { index.storages[0].bytes = 1ull << 63; });
  expect_rejected("F-43", [](HostileIndex& index) { index.storages[0].bytes += 16; });
  // What cannot be placed has no offset, not even 0.
  expect_rejected("F-43", [](HostileIndex& index) {
    index.storages[0].offset = 0;
    index.storages[0].bytes = ~0ull;
  });
}

// F-44
TEST_F(ValidateIndex, FirstChunks) {
  expect_rejected("F-44", [](HostileIndex& index) { index.storages[0].first_chunk = 1; });
  expect_rejected("F-44", [](HostileIndex& index) { index.storages.back().first_chunk = ~0ull; });
}

// F-45, F-46
TEST_F(ValidateIndex, HeaderKnowsDataAndDigests) {
  const HostileFile file = HostileFile::rich();
  const std::vector<std::byte> bytes = file.index_bytes();
  Header header = file.make_header();
  header.data_end += 1;
  EXPECT_THAT(validate_index_copy(bytes, header), StatusIs(Code::kRejected, HasSubstr("F-45")));
  header = file.make_header();
  header.digests_bytes -= 16;
  EXPECT_THAT(validate_index_copy(bytes, header), StatusIs(Code::kRejected, HasSubstr("F-46")));
  header = file.make_header();
  header.chunk_log2 = 17;  // the two-chunk storage has another number of chunks
  EXPECT_THAT(validate_index_copy(bytes, header), StatusIs(Code::kRejected, HasSubstr("F-4")));
}

// F-47
TEST_F(ValidateIndex, StoragesLieInTheOrderOfTheirFirstUse) {
  // Two parameters change places in the section.
  expect_rejected("F-47", [](HostileIndex& index) {
    std::swap(tensor(index, "quantised").storage, tensor(index, "embed.weight").storage);
  });
  // A buffer in the parameters' section.
  expect_rejected("F-47", [](HostileIndex& index) { tensor(index, "quantised").role = 2; });
  // A tensor that reads an attachment.
  expect_rejected("F-47", [](HostileIndex& index) {
    tensor(index, "quantised").storage = static_cast<std::uint32_t>(index.storages.size() - 1);
  });
  // Scales after zero points.
  expect_rejected("F-47", [](HostileIndex& index) {
    std::swap(tensor(index, "channels").quantization->scales,
              tensor(index, "channels").quantization->zero_points);
  });
}

// F-47
TEST_F(ValidateIndex, EveryStorageIsUsed) {
  expect_rejected("F-47", [](HostileIndex& index) { tensor(index, "running_mean").storage = 0; });
  // The last storage of its section: nothing after it is out of order.
  const Edit last = [](HostileIndex& index) { tensor(index, "packed").storage = 0; };
  expect_rejected("F-47", last);
  EXPECT_THAT(validate_edited(last), StatusIs(Code::kRejected, HasSubstr("belongs to no tensor")));
  expect_rejected("F-47", [](HostileIndex& index) { index.attachments.reset(); });
}

TEST_F(ValidateIndex, SharedStoragesTakeTheFirstRole) {
  // A later tensor of another role may share: tied weights across roles.
  expect_accepted([](HostileIndex& index) { tensor(index, "lm_head.weight").role = 4; });
  expect_rejected("F-47", [](HostileIndex& index) { tensor(index, "embed.weight").role = 4; });
}

// F-70
TEST_F(ValidateIndex, NameTablesHaveOneEntryATensor) {
  expect_rejected("F-70", [](HostileIndex& index) { index.name_hashes->pop_back(); });
  expect_rejected("F-70", [](HostileIndex& index) { index.name_tensors->pop_back(); });
  expect_rejected("F-70", [](HostileIndex& index) {
    index.name_hashes->push_back(~0ull);
    index.name_tensors->push_back(0);
  });
}

// F-71
TEST_F(ValidateIndex, NamesAreUnique) {
  expect_rejected("F-71", [](HostileIndex& index) { index.rename(1, *index.tensors[0].name); });
}

// F-71: at the front of the table, in its middle and at its end (look-ahead).
TEST_F(ValidateIndex, NumbersOfTensorsExist) {
  expect_rejected("F-71", [](HostileIndex& index) { index.name_tensors->front() = 11; });
  expect_rejected("F-71", [](HostileIndex& index) { index.name_tensors->back() = ~0u; });
  HostileFile file = HostileFile::minimal();
  IndexDraft draft;
  for (int i = 0; i < 100; ++i) draft.tensor("t" + std::to_string(i), DType::kUInt8, {1});
  for (std::size_t i = 0; i < 100; ++i) {
    file = HostileFile::from(draft);
    (*file.index.name_tensors)[i] = 100;
    EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-71"))) << i;
  }
}

// F-71
TEST_F(ValidateIndex, HashesAscend) {
  expect_rejected("F-71", [](HostileIndex& index) {
    std::swap((*index.name_hashes)[4], (*index.name_hashes)[5]);
    std::swap((*index.name_tensors)[4], (*index.name_tensors)[5]);
  });
  // The same tensor twice, another not at all.
  expect_rejected("F-71", [](HostileIndex& index) {
    (*index.name_hashes)[5] = (*index.name_hashes)[4];
    (*index.name_tensors)[5] = (*index.name_tensors)[4];
  });
}

// F-72
TEST_F(ValidateIndex, HashesAreThoseOfTheNames) {
  expect_rejected("F-72", [](HostileIndex& index) { (*index.name_hashes)[3] += 1; });
  expect_rejected("F-72", [](HostileIndex& index) {
    std::swap((*index.name_tensors)[2], (*index.name_tensors)[3]);
  });
}

// F-80
TEST_F(ValidateIndex, NamesOfAttachments) {
  for (const std::string& name : {std::string(), std::string("a\nb"), std::string("\xFF"),
                                  std::string(1025, 'a'), std::string("a\0b", 3)}) {
    expect_rejected("F-80", [&](HostileIndex& index) { (*index.attachments)[0].name = name; });
  }
}

// F-81
TEST_F(ValidateIndex, AttachmentsAscend) {
  expect_rejected("F-81", [](HostileIndex& index) {
    std::swap((*index.attachments)[0].name, (*index.attachments)[1].name);
  });
  expect_rejected("F-81", [](HostileIndex& index) {
    (*index.attachments)[0].name = (*index.attachments)[1].name;
  });
}

// F-82
TEST_F(ValidateIndex, MediaTypes) {
  for (const std::string& type : {std::string(), std::string("a\tb"), std::string("a\xC3\xA9"),
                                  std::string(256, 'a'), std::string("\x7F")}) {
    expect_rejected("F-82",
                    [&](HostileIndex& index) { (*index.attachments)[0].media_type = type; });
  }
  expect_accepted([](HostileIndex& index) {
    (*index.attachments)[0].media_type = "text/plain; charset=utf-8";
    (*index.attachments)[1].media_type = std::string(255, '~');
  });
}

// F-83
TEST_F(ValidateIndex, StoragesOfAttachments) {
  expect_rejected("F-83", [](HostileIndex& index) { (*index.attachments)[1].storage -= 1; });
  expect_rejected("F-83", [](HostileIndex& index) { (*index.attachments)[0].storage = 0; });
  expect_rejected("F-83", [](HostileIndex& index) { (*index.attachments)[1].storage = ~0u; });
  expect_rejected("F-83", [](HostileIndex& index) {
    index.attachments->push_back({"zzz", "text/plain", 0});
  });
  expect_rejected("F-83", [](HostileIndex& index) {
    const auto storages = static_cast<std::uint32_t>(index.storages.size());
    index.attachments->push_back({"zzz", "text/plain", storages});
  });
}

}  // namespace
}  // namespace ingot::format
