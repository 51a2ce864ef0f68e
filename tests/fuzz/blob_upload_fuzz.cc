// WriteBlob streams: each step is a byte that says what the sender does, then its arguments.
#include <memory>
#include <optional>
#include <string>

#include "common/blob/digest_proto.h"
#include "common/file/crc32c.h"
#include "coordinator/service/upload_stream.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

// What senders upload; a message may claim anything else.
constexpr uint8_t kContents = 3;
const std::string& Content(uint8_t choice) {
  static const std::string contents[kContents] = {"", "hello", std::string(3000, 'x')};
  return contents[choice % kContents];
}

// Made once: it has hundreds of folders.
struct Store {
  MemoryFileSystem files;
  std::unique_ptr<DirectoryBlobStore> blobs = DirectoryBlobStore::Open(files, "/blobs").value();

  // As new.
  void Empty() {
    const auto leftovers = files.List("/blobs/tmp");
    Require(leftovers.ok() && leftovers->empty(), "uploads that end leave no temporary files");
    for (uint8_t choice = 0; choice < kContents; ++choice) {
      Require(blobs->Remove(DigestOf(Content(choice))).ok(), "a blob can be removed");
    }
  }
};

class Sender {
 public:
  explicit Sender(Store& store) : files_(store.files), blobs_(*store.blobs) {}

  void Run(FuzzInput& input) {
    while (!input.empty()) {
      switch (input.TakeByte() % 4) {
        case 0:
          Open();
          break;
        case 1:
          Send(Header(input));
          break;
        case 2:
          Send(Chunk(input));
          break;
        case 3:
          End();
          break;
      }
    }
    Close();
  }

 private:
  static constexpr size_t kKept = 2;

  void Open() {
    Close();
    response_.Clear();
    digest_.reset();
    stream_ = std::make_unique<UploadStream>(files_, blobs_, interrupted_, check_token_, &response_);
  }
  void Close() {
    if (stream_ != nullptr) stream_->Suspend();
    stream_.reset();
  }
  static v1::WriteBlobRequest Header(FuzzInput& input) {
    const uint8_t kind = input.TakeByte();
    Digest digest = DigestOf(Content(kind));
    if (kind & 0x40) digest.sha256 = std::string(input.Take(input.TakeByte()));
    if (kind & 0x80) digest.size_bytes = static_cast<int8_t>(input.TakeByte());
    v1::WriteBlobRequest message;
    *message.mutable_digest() = DigestToProto(digest);
    message.mutable_token()->set_lease_id(kind & 0x20 ? "over" : "live");
    message.set_write_offset(static_cast<int16_t>(input.TakeLength()));
    message.set_may_be_lost(kind & 0x10);
    return message;
  }
  static v1::WriteBlobRequest Chunk(FuzzInput& input) {
    const uint8_t kind = input.TakeByte();
    v1::WriteBlobRequest message;
    message.set_write_offset(static_cast<int16_t>(input.TakeLength()));
    const size_t size = input.TakeLength();
    message.set_data(kind & 0x40 ? std::string(input.Take(size)) : Content(kind).substr(0, size));
    message.set_crc32c(kind & 0x80 ? input.TakeByte() : Crc32c(message.data()));
    return message;
  }
  void Send(const v1::WriteBlobRequest& message) {
    if (stream_ == nullptr) return;
    // Of the first message only.
    if (!digest_.has_value()) digest_ = DigestFromProto(message.digest());
    const absl::StatusOr<bool> done = stream_->Take(message);
    if (done.ok() && *done && response_.complete()) CheckStored();
    if (!done.ok() || *done) Close();
  }
  void End() {
    if (stream_ == nullptr) return;
    const absl::Status status = stream_->End();
    Require(status.ok() || !response_.complete(), "an error completes nothing");
    if (response_.complete()) CheckStored();
    Close();
  }
  void CheckStored() {
    const absl::StatusOr<bool> present = blobs_.Contains(*digest_);
    Require(present.ok() && *present, "a complete blob is stored");
    Require(blobs_.Get(*digest_).ok(), "a stored blob has its digest");
  }

  MemoryFileSystem& files_;
  DirectoryBlobStore& blobs_;
  FakeClock clock_;
  InterruptedUploads interrupted_{clock_, kKept, absl::Minutes(1)};
  const std::function<absl::Status(const v1::LeaseToken&)> check_token_ = [](const v1::LeaseToken& token) {
    return token.lease_id() == "live" ? absl::OkStatus() : absl::FailedPreconditionError("over");
  };
  v1::WriteBlobResponse response_;
  std::optional<Digest> digest_;
  std::unique_ptr<UploadStream> stream_;
};

}  // namespace
}  // namespace heroq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  static Store& store = *new Store;
  FuzzInput input(data, size);
  Sender(store).Run(input);
  store.Empty();
  return 0;
}
