// Attachments: names, order, media types, and storages that are not theirs.
#include <string>
#include <utility>
#include <vector>

#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

using Attachment = HostileIndex::Attachment;
using Attachments = std::vector<Attachment>;

// small_file() has a.json on storage 6 and b.txt on storage 7.
InvalidGolden attachments(std::string name, std::string rule, std::string why,
                          std::function<void(Attachments&)> edit) {
  return hostile("attachment_" + name, std::move(rule), std::move(why),
                 [edit = std::move(edit)](HostileFile& f) { edit(*f.index.attachments); });
}

InvalidGolden named(std::string name, std::string why, std::string text) {
  return attachments("name_" + name, "F-80", std::move(why),
                     [text = std::move(text)](Attachments& a) { a[1].name = text; });
}

InvalidGolden media_type(std::string name, std::string why, std::string text) {
  return attachments("media_type_" + name, "F-82", std::move(why),
                     [text = std::move(text)](Attachments& a) { a[0].media_type = text; });
}

}  // namespace

Goldens invalid_attachments() {
  Goldens all;
  all.push_back(named("1025_bytes", "a name of 1025 bytes", std::string(1025, 'z')));
  all.push_back(named("control", "a line end in a name", "b\r\n.txt"));
  all.push_back(named("nul", "a NUL in a name", std::string("b.txt\0.exe", 10)));
  all.push_back(named("utf8", "a name that is no UTF-8", "b\xFF.txt"));
  all.push_back(attachments("name_empty", "F-80", "an empty name",
                            [](Attachments& a) { a[0].name.clear(); }));
  all.push_back(attachments("unsorted", "F-81", "names in descending order",
                            [](Attachments& a) { std::swap(a[0].name, a[1].name); }));
  all.push_back(attachments("duplicate", "F-81", "two attachments of one name",
                            [](Attachments& a) { a[1].name = a[0].name; }));
  all.push_back(attachments("prefix_after", "F-81", "a name before its own beginning",
                            [](Attachments& a) { a[1].name = "a.jso"; }));
  all.push_back(attachments("signed_order", "F-81", "bytes compared as if they were signed",
                            [](Attachments& a) {
                              a[0].name = "\xC3\xA9";
                              a[1].name = "z";
                            }));
  all.push_back(media_type("empty", "no media type", ""));
  all.push_back(media_type("256_bytes", "a media type of 256 bytes", std::string(256, 'a')));
  all.push_back(media_type("control", "a line end in a media type", "text/plain\r\nX: y"));
  all.push_back(media_type("nul", "a NUL in a media type", std::string("a/b\0c", 5)));
  all.push_back(media_type("delete", "U+007F in a media type", "a/b\x7F"));
  all.push_back(media_type("utf8", "a media type beyond ASCII", "a/\xC3\xA9"));
  all.push_back(attachments("storages_swapped", "F-83", "storages in the wrong order",
                            [](Attachments& a) { std::swap(a[0].storage, a[1].storage); }));
  all.push_back(attachments("storage_shared", "F-83", "two attachments on one storage",
                            [](Attachments& a) { a[1].storage = 6; }));
  all.push_back(attachments("storage_of_tensor", "F-83", "an attachment on a tensor's storage",
                            [](Attachments& a) { a[0].storage = 0; }));
  all.push_back(attachments("storage_beyond", "F-83", "a storage just beyond the last",
                            [](Attachments& a) { a[1].storage = 8; }));
  all.push_back(attachments("storage_max", "F-83", "storage 2^32 - 1",
                            [](Attachments& a) { a[0].storage = 0xFFFFFFFF; }));
  all.push_back(
      attachments("one_too_many", "F-83", "three attachments on two storages", [](Attachments& a) {
        a.push_back({"c", "a/b", 8});
      }));
  all.push_back(attachments("one_too_few", "F-47", "a storage whose attachment is missing",
                            [](Attachments& a) { a.pop_back(); }));
  all.push_back(attachments("none", "F-34", "no attachments, said with a vector",
                            [](Attachments& a) { a.clear(); }));
  return all;
}

}  // namespace ingot::golden
