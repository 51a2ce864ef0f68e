// Lets Python tests drive the quantization methods on one linear:
//   quantizer_probe rtn|gptq|dash-q|dash-q-damped|dash-q-offset|dash-q-offset-damped ROWS COLUMNS BITS
//   GROUP_SIZE bf16|f16
//                   symmetric|asymmetric search|minmax act-order|in-order DAMPING TOKENS
// In: float32 weight [rows, columns], then float32 second moments [columns, columns] unless TOKENS is 0. Out:
// float32 dequantized weight [rows, columns], float32 scales [rows, groups], uint8 zero points [rows, groups]
// unless symmetric, uint8 codes [rows, columns], float64 solver loss (gptq only); of free offsets
// (dash-q-offset) the first only.
#include <ATen/ops/from_blob.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "worker/methods/method_registry.h"

namespace heroq {
namespace {

template <typename T>
void Print(const T* values, size_t count) {
  std::cout.write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(count * sizeof(T)));
}

void PrintResult(const QuantizedLinear& linear, const LinearOutcome& outcome) {
  const std::vector<float> weight = Dequantize(linear);
  Print(weight.data(), weight.size());
  for (const uint16_t bits : linear.scales) {
    const float scale = linear.scheme.scale_type == ScaleType::kBf16 ? Bf16ToFloat(bits) : F16ToFloat(bits);
    Print(&scale, 1);
  }
  Print(linear.zero_points.data(), linear.zero_points.size());
  const std::vector<uint8_t> codes =
      UnpackRows(linear.packed_codes, linear.out_features, linear.in_features, linear.scheme.weight_bits);
  Print(codes.data(), codes.size());
  const double loss = std::accumulate(outcome.row_losses.begin(), outcome.row_losses.end(), 0.0);
  if (!outcome.row_losses.empty()) Print(&loss, 1);
}

int Run(const std::vector<std::string>& arguments) {
  std::string in{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  const int64_t rows = std::atoll(arguments[1].c_str());
  const int64_t columns = std::atoll(arguments[2].c_str());
  const int64_t tokens = std::atoll(arguments[10].c_str());
  LinearWork linear;
  linear.name = "probe";
  linear.scheme.weight_bits = std::atoi(arguments[3].c_str());
  linear.scheme.group_size = std::atoi(arguments[4].c_str());
  linear.scheme.scale_type = arguments[5] == "bf16" ? ScaleType::kBf16 : ScaleType::kF16;
  linear.scheme.symmetric = arguments[6] == "symmetric";
  float* values = reinterpret_cast<float*>(in.data());
  linear.weight = at::from_blob(values, {rows, columns}, at::kFloat);
  UnitWork work;
  if (tokens > 0) {
    const at::Tensor moments = at::from_blob(values + rows * columns, {columns, columns}, at::kFloat);
    work.statistics[linear.input] = {moments, tokens};
  }
  work.linears.push_back(linear);

  const bool search = arguments[7] == "search";
  MethodOptions options = RtnOptions{search};
  if (arguments[0] == "gptq") {
    options = GptqOptions{std::atof(arguments[9].c_str()), arguments[8] == "act-order", search};
  } else if (arguments[0].rfind("dash-q", 0) == 0) {
    options = DashQOptions{.damped = arguments[0].ends_with("-damped"),
                           .free_offset = arguments[0].find("-offset") != std::string::npos};
  } else if (arguments[0] != "rtn") {
    std::cerr << "quantizer_probe: unknown method " << arguments[0] << "\n";
    return 2;
  }
  const auto unit = MakeMethod(options)->Quantize(work, {}, {});
  if (!unit.ok()) {
    std::cerr << unit.status() << "\n";
    return 1;
  }
  if (unit->dense.empty()) {
    PrintResult(unit->linears.front(), unit->outcomes.front());
  } else {
    Print(unit->dense.front().const_data_ptr<float>(), static_cast<size_t>(rows * columns));
  }
  return 0;
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  if (argc != 12) {
    std::cerr << "quantizer_probe: expected 11 arguments, see the top of quantizer_probe.cc\n";
    return 2;
  }
  return heroq::Run(std::vector<std::string>(argv + 1, argv + argc));
}
