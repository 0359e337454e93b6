#include "ingot/writer.h"

#include <utility>

#include "writer/session.h"

namespace ingot {

class Writer::Impl {
 public:
  explicit Impl(std::unique_ptr<writer::Session> s) : session(std::move(s)) {}
  std::unique_ptr<writer::Session> session;
};

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::create(std::string_view path, const WritePlan& plan,
                              const WriterOptions& options) {
  INGOT_ASSIGN_OR_RETURN(auto session, writer::Session::create(path, plan, options));
  return Writer(std::make_unique<Impl>(std::move(session)));
}

Status Writer::write(TensorId tensor, std::span<const std::byte> bytes) {
  return impl_->session->write(tensor, bytes);
}

Status Writer::write(StorageId storage, std::span<const std::byte> bytes) {
  return impl_->session->write(storage, bytes);
}

Status Writer::write(AttachmentId attachment, std::span<const std::byte> bytes) {
  return impl_->session->write(attachment, bytes);
}

Status Writer::write(StorageId storage, std::uint64_t offset, std::span<const std::byte> bytes) {
  return impl_->session->write(storage, offset, bytes);
}

Status Writer::commit() { return impl_->session->commit(); }

const WriteReport& Writer::report() const { return impl_->session->report(); }

}  // namespace ingot
