#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "common/blob/remote_blob_store.h"
#include "common/checkpoint/safetensors_reader.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/concurrency/thread_pool.h"
#include "common/quant/packing.h"
#include "coordinator/service/blob_service.h"
#include "tests/benchmark/ceiling.h"
#include "tests/support/fake_clock.h"
#include "tests/support/recording_sleeper.h"
#include "tests/support/test_server.h"

namespace heroq {
namespace {

constexpr int64_t kRows = 1536;
constexpr int64_t kColumns = 1536;
constexpr int64_t kBlobBytes = int64_t{32} << 20;

// Codes are read, packed ones written.
void Pack(benchmark::State& state) {
  const auto bits = static_cast<int>(state.range(0));
  const std::vector<uint8_t> codes(kRows * kColumns, 1);
  for (auto _ : state) benchmark::DoNotOptimize(PackRows(codes, kRows, kColumns, bits));
  ReportBytes(state, kRows * kColumns * (1 + bits / 8.0));
}
BENCHMARK(Pack)->ArgName("bits")->Arg(4)->Arg(3)->Unit(benchmark::kMillisecond);

void Unpack(benchmark::State& state) {
  const auto bits = static_cast<int>(state.range(0));
  const std::vector<int32_t> words(kRows * PackedWords(kColumns, bits), 0x12345678);
  for (auto _ : state) benchmark::DoNotOptimize(UnpackRows(words, kRows, kColumns, bits));
  ReportBytes(state, kRows * kColumns * (1 + bits / 8.0));
}
BENCHMARK(Unpack)->ArgName("bits")->Arg(4)->Arg(3)->Unit(benchmark::kMillisecond);

// From the page cache.
void ReadSafetensors(benchmark::State& state) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("model.safetensors");
  const SafetensorsLayout layout = *LayOutSafetensors({{"weight", DType::kI8, {kBlobBytes}}}, {});
  if (!WriteFileAtomically(FileSystem::Posix(), path, layout.header + std::string(kBlobBytes, 'x')).ok()) {
    state.SkipWithError("cannot write the file");
    return;
  }
  const std::unique_ptr<SafetensorsReader> reader = *SafetensorsReader::Open(FileSystem::Posix(), path);
  const TensorInfo& info = **reader->Find("weight");
  std::vector<char> bytes(kBlobBytes);
  for (auto _ : state) {
    if (!reader->Read(info, bytes.data()).ok()) state.SkipWithError("cannot read the tensor");
  }
  ReportBytes(state, 2.0 * kBlobBytes);
}
BENCHMARK(ReadSafetensors)->Unit(benchmark::kMillisecond);

// One client and the coordinator's blob service over a Unix socket, SHA-256 and CRC32C on both sides.
class BlobStream : public benchmark::Fixture {
 public:
  void SetUp(benchmark::State&) override {
    directory_ = std::make_unique<TemporaryDirectory>();
    blobs_ = *DirectoryBlobStore::Open(FileSystem::Posix(), directory_->File("blobs"));
    pool_ = std::make_unique<ThreadPool>(2);
    const auto live = [](const v1::LeaseToken&) { return absl::OkStatus(); };
    context_.reset(new BlobServiceContext{FileSystem::Posix(), *blobs_, *pool_, live, clock_});
    service_ = std::make_unique<BlobService>(*context_);
    server_ = std::make_unique<TestServer>(std::vector<grpc::Service*>{service_.get()});
    store_ = std::make_unique<RemoteBlobStore>(
        server_->channel(), [] { return v1::LeaseToken(); }, Cancellation(), sleeper_, [] { return 0.5; },
        RemoteBlobOptions());
  }
  void TearDown(benchmark::State&) override {
    store_.reset();
    server_.reset();
    service_.reset();
    context_.reset();
    pool_.reset();
    blobs_.reset();
    directory_.reset();
  }

 protected:
  FakeClock clock_;
  RecordingSleeper sleeper_;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::unique_ptr<DirectoryBlobStore> blobs_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<BlobServiceContext> context_;
  std::unique_ptr<BlobService> service_;
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<RemoteBlobStore> store_;
};

BENCHMARK_DEFINE_F(BlobStream, Upload)(benchmark::State& state) {
  std::string bytes(kBlobBytes, 'x');
  int64_t serial = 0;
  for (auto _ : state) {
    // Another blob every time: one that is there is not sent.
    bytes.replace(0, sizeof(serial), reinterpret_cast<const char*>(&++serial), sizeof(serial));
    if (!store_->Put(bytes, Durability::kVolatile).ok()) state.SkipWithError("cannot upload");
  }
  ReportBytes(state, 2.0 * kBlobBytes);
}
BENCHMARK_REGISTER_F(BlobStream, Upload)->UseRealTime()->Unit(benchmark::kMillisecond);

BENCHMARK_DEFINE_F(BlobStream, Download)(benchmark::State& state) {
  const Digest digest = *blobs_->Put(std::string(kBlobBytes, 'x'), Durability::kVolatile);
  for (auto _ : state) {
    if (!store_->Get(digest).ok()) state.SkipWithError("cannot download");
  }
  ReportBytes(state, 2.0 * kBlobBytes);
}
BENCHMARK_REGISTER_F(BlobStream, Download)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heroq
