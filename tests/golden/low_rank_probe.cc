// Lets Python tests take the leading directions of W G^(1/2):
//   low_rank_probe OUTPUTS INPUTS RANK
// In: float64 W [outputs, inputs] and G [inputs, inputs]. Out: float64 [outputs, rank].
#include <ATen/ops/from_blob.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>

#include "worker/device/thread_settings.h"
#include "worker/transform/low_rank.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  heroq::SetTaskThreads(1);
  std::string in{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  const int64_t outputs = std::atoll(argv[1]), inputs = std::atoll(argv[2]), rank = std::atoll(argv[3]);
  auto* values = reinterpret_cast<double*>(in.data());
  const at::Tensor weight = at::from_blob(values, {outputs, inputs}, at::kDouble);
  const at::Tensor moment = at::from_blob(values + outputs * inputs, {inputs, inputs}, at::kDouble);
  const auto directions = heroq::LeadingDirections(weight, moment, rank, {});
  if (!directions.ok()) {
    std::cerr << directions.status() << "\n";
    return 1;
  }
  std::cout.write(reinterpret_cast<const char*>(directions->const_data_ptr<double>()),
                  static_cast<std::streamsize>(directions->nbytes()));
  return 0;
}
