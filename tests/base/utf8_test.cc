// RFC 3629, section 4: every boundary of every row of its table, and what lies just outside.
#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace ingot {
namespace {

// The encoding of a code point by plain arithmetic, also where RFC 3629 forbids it.
std::string encode(std::uint32_t point, int length) {
  constexpr unsigned kLead[] = {0, 0x00, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC};
  std::string text(static_cast<std::size_t>(length), '\0');
  for (int i = length - 1; i > 0; --i) {
    text[static_cast<std::size_t>(i)] = static_cast<char>(0x80 | (point & 0x3F));
    point >>= 6;
  }
  text[0] = static_cast<char>(kLead[length] | point);
  return text;
}

int shortest(std::uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

// Alone, inside of text, and behind more than eight ASCII bytes (which are checked by the word).
void expect_utf8(const std::string& text, bool valid) {
  EXPECT_EQ(is_valid_utf8(text), valid) << ::testing::PrintToString(text);
  EXPECT_EQ(is_valid_utf8("a" + text + "b"), valid) << ::testing::PrintToString(text);
  EXPECT_EQ(is_valid_utf8("0123456789" + text + "0123456789"), valid)
      << ::testing::PrintToString(text);
}

TEST(Utf8Test, EveryCodePointInItsShortestForm) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    ASSERT_EQ(is_valid_utf8(encode(point, shortest(point))), !surrogate) << std::hex << point;
  }
}

TEST(Utf8Test, BoundariesOfEveryLength) {
  for (const std::uint32_t point : {0x0U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xD7FFU, 0xE000U, 0xFFFFU,
                                    0x10000U, 0x3FFFFU, 0x40000U, 0xFFFFFU, 0x100000U, 0x10FFFFU}) {
    expect_utf8(encode(point, shortest(point)), true);
  }
}

TEST(Utf8Test, OverlongFormsAreRefused) {
  for (const std::uint32_t point : {0x0U, 0x2FU, 0x7FU}) {
    for (int length = 2; length <= 4; ++length) expect_utf8(encode(point, length), false);
  }
  for (const std::uint32_t point : {0x80U, 0x7FFU}) {
    for (int length = 3; length <= 4; ++length) expect_utf8(encode(point, length), false);
  }
  for (const std::uint32_t point : {0x800U, 0xFFFFU}) expect_utf8(encode(point, 4), false);
}

TEST(Utf8Test, SurrogatesAreRefused) {
  for (const std::uint32_t point : {0xD800U, 0xDBFFU, 0xDC00U, 0xDFFFU}) {
    expect_utf8(encode(point, 3), false);
  }
  expect_utf8(encode(0xD800, 3) + encode(0xDC00, 3), false);  // a pair, as CESU-8 has it
}

TEST(Utf8Test, BeyondUnicodeIsRefused) {
  expect_utf8(encode(0x110000, 4), false);
  expect_utf8(encode(0x13FFFF, 4), false);
  expect_utf8(encode(0x1FFFFF, 4), false);
  expect_utf8(encode(0x200000, 5), false);
  expect_utf8(encode(0x4000000, 6), false);
}

TEST(Utf8Test, EverySingleByteAboveAsciiIsRefused) {
  for (int byte = 0x80; byte <= 0xFF; ++byte) {
    expect_utf8(std::string(1, static_cast<char>(byte)), false);
  }
}

TEST(Utf8Test, EverySecondByteOfEveryLead) {
  for (unsigned lead = 0x80; lead <= 0xFF; ++lead) {
    for (unsigned second = 0; second <= 0xFF; ++second) {
      std::string text{static_cast<char>(lead), static_cast<char>(second)};
      const bool continues = second >= 0x80 && second <= 0xBF;
      bool valid = false;
      if (lead >= 0xC2 && lead <= 0xDF) {
        valid = continues;
      } else if (lead >= 0xE0 && lead <= 0xEF) {
        text += "\x80";
        valid = continues && !(lead == 0xE0 && second < 0xA0) && !(lead == 0xED && second > 0x9F);
      } else if (lead >= 0xF0 && lead <= 0xF4) {
        text += "\x80\x80";
        valid = continues && !(lead == 0xF0 && second < 0x90) && !(lead == 0xF4 && second > 0x8F);
      }
      EXPECT_EQ(is_valid_utf8(text), valid) << std::hex << lead << " " << second;
    }
  }
}

TEST(Utf8Test, LaterBytesMustContinue) {
  for (const char bad : {'\x00', '\x7F', '\xC0', '\xFF'}) {
    expect_utf8(std::string("\xE1\x80") + bad, false);
    expect_utf8(std::string("\xF1\x80") + bad + "\x80", false);
    expect_utf8(std::string("\xF1\x80\x80") + bad, false);
  }
}

TEST(Utf8Test, CutSequencesAreRefusedAtTheEndOfTheText) {
  for (const std::uint32_t point : {0x80U, 0x800U, 0x10000U}) {
    const std::string whole = encode(point, shortest(point));
    for (std::size_t length = 1; length < whole.size(); ++length) {
      EXPECT_FALSE(is_valid_utf8(whole.substr(0, length)));
      EXPECT_FALSE(is_valid_utf8("01234567" + whole.substr(0, length)));
    }
  }
}

TEST(Utf8Test, CutSequencesDoNotReadBehindTheText) {
  const std::string whole = "\xF0\x90\x80\x80";
  for (std::size_t length = 1; length < whole.size(); ++length) {
    EXPECT_FALSE(is_valid_utf8(std::string_view(whole).substr(0, length)));
  }
}

TEST(PrintableTest, ControlCharactersAreRefusedAtEveryPosition) {
  for (int c = 0; c <= 0x7F; ++c) {
    for (std::size_t position = 0; position < 20; ++position) {
      std::string text(20, 'x');
      text[position] = static_cast<char>(c);
      const bool control = c < 0x20 || c == 0x7F;
      ASSERT_EQ(is_printable_utf8(text), !control) << c << " at " << position;
      ASSERT_TRUE(is_valid_utf8(text)) << c << " at " << position;
    }
  }
}

TEST(PrintableTest, EmptyAndNonAscii) {
  EXPECT_TRUE(is_printable_utf8(""));
  EXPECT_TRUE(is_printable_utf8("Größe.日本.🙂"));
  EXPECT_FALSE(is_printable_utf8("Größe\n"));
  EXPECT_FALSE(is_printable_utf8("\xFF"));
}

}  // namespace
}  // namespace ingot
