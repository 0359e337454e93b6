// What reaches a terminal of names and paths that attack it.
#include "base/printable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "base/error.h"

namespace ingot {
namespace {

TEST(Printable, LeavesTextAlone) {
  for (const std::string_view text :
       {"", "model.layers.0.weight", "Gr\u00fc\u00dfe, \u65e5\u672c\u8a9e \U0001F600", "a\\b",
        "\u00a0", "\u061b\u061d", "\u200d\u2010", "\u2027\u202f", "\u2065\u206a"}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_EQ(printable(text, Ascii::kKeep), text);
  }
}

TEST(Printable, EscapesWhatSteersATerminal) {
  for (const auto& [text, expected] : {std::pair{"\x1b[2J", "\\x1b[2J"},
                                       {"a\nb\x7f", "a\\x0ab\\x7f"},
                                       {"\u0080\u009b2J\u009f", "\\u0080\\u009b2J\\u009f"},
                                       {"\u061c", "\\u061c"},
                                       {"\u200e\u200f", "\\u200e\\u200f"},
                                       {"\u2028\u2029\u202a\u202e", "\\u2028\\u2029\\u202a\\u202e"},
                                       {"\u2066\u2069", "\\u2066\\u2069"}}) {
    EXPECT_EQ(printable(text), expected);
  }
}

TEST(Printable, EscapesWhatIsNoText) {
  EXPECT_EQ(printable("a\x9b"
                      "b"),
            "a\\x9bb");
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80") << "cut off";
  EXPECT_EQ(printable("\xc2"), "\\xc2");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xff\xf8"), "\\xff\\xf8");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, KeepsTheProgramsOwnControls) {
  EXPECT_EQ(printable("\x1b[1mx\x1b[0m\n\u009b\n", Ascii::kKeep), "\x1b[1mx\x1b[0m\n\\u009b\n");
}

TEST(Printable, ErrorsAre) {
  const Status status =
      make_error(Code::kCorrupt, "what").file("a\nb").tensor("w\u202e").found("\u009b").status();
  EXPECT_EQ(status.message(), "a\\x0ab: what: tensor \"w\\u202e\": found \\u009b");
  EXPECT_EQ(status.location().tensor, "w\u202e") << "for programs, as it is";
}

}  // namespace
}  // namespace ingot
