// Lets Python tests drive common/quant; raw little-endian arrays go in through stdin and out through stdout:
//   quant_probe pack-rows|pack-columns ROWS COLUMNS BITS       uint8 codes -> int32 words
//   quant_probe unpack-rows|unpack-columns ROWS COLUMNS BITS   int32 words -> uint8 codes
//   quant_probe to-bf16|to-f16                                 float32 -> 16-bit patterns
//   quant_probe from-bf16|from-f16                             16-bit patterns -> float32
//   quant_probe dequantize ROWS COLUMNS BITS GROUP_SIZE bf16|f16 symmetric|asymmetric
//       int32 packed codes, then 16-bit scales, then uint8 zero points unless symmetric -> float32
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "common/quant/quantized_linear.h"

namespace heroq {
namespace {

// Takes `count` values off the front of `*bytes`.
template <typename T>
std::vector<T> Take(std::string* bytes, std::size_t count) {
  std::vector<T> values(count);
  std::memcpy(values.data(), bytes->data(), count * sizeof(T));
  bytes->erase(0, count * sizeof(T));
  return values;
}

template <typename T>
std::vector<T> TakeAll(std::string* bytes) {
  return Take<T>(bytes, bytes->size() / sizeof(T));
}

template <typename T>
void Print(const std::vector<T>& values) {
  std::cout.write(reinterpret_cast<const char*>(values.data()),
                  static_cast<std::streamsize>(values.size() * sizeof(T)));
}

template <typename Out, typename In>
void PrintEach(const std::vector<In>& values, Out (*convert)(In)) {
  std::vector<Out> converted;
  converted.reserve(values.size());
  for (const In value : values) converted.push_back(convert(value));
  Print(converted);
}

absl::Status PrintDequantized(const std::vector<std::string>& arguments, std::string* in) {
  QuantizedLinear linear;
  linear.name = "probe";
  linear.out_features = std::atoll(arguments[1].c_str());
  linear.in_features = std::atoll(arguments[2].c_str());
  linear.scheme.weight_bits = std::atoi(arguments[3].c_str());
  linear.scheme.group_size = std::atoi(arguments[4].c_str());
  linear.scheme.scale_type = arguments[5] == "bf16" ? ScaleType::kBf16 : ScaleType::kF16;
  linear.scheme.symmetric = arguments[6] == "symmetric";
  linear.packed_codes =
      Take<int32_t>(in, linear.out_features * PackedWords(linear.in_features, linear.scheme.weight_bits));
  linear.scales = Take<uint16_t>(in, linear.out_features * linear.groups());
  linear.zero_points = TakeAll<uint8_t>(in);
  const absl::Status status = ValidateQuantizedLinear(linear);
  if (status.ok()) Print(Dequantize(linear));
  return status;
}

absl::Status Run(const std::vector<std::string>& arguments) {
  std::string in{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  const std::string command = arguments.empty() ? "" : arguments[0];
  if (command == "dequantize" && arguments.size() == 7) return PrintDequantized(arguments, &in);
  if (command == "to-bf16") {
    PrintEach(TakeAll<float>(&in), FloatToBf16);
  } else if (command == "to-f16") {
    PrintEach(TakeAll<float>(&in), FloatToF16);
  } else if (command == "from-bf16") {
    PrintEach(TakeAll<uint16_t>(&in), Bf16ToFloat);
  } else if (command == "from-f16") {
    PrintEach(TakeAll<uint16_t>(&in), F16ToFloat);
  } else if (arguments.size() == 4) {
    const int64_t rows = std::atoll(arguments[1].c_str());
    const int64_t columns = std::atoll(arguments[2].c_str());
    const int bits = std::atoi(arguments[3].c_str());
    if (command == "pack-rows") Print(PackRows(TakeAll<uint8_t>(&in), rows, columns, bits));
    if (command == "pack-columns") Print(PackColumns(TakeAll<uint8_t>(&in), rows, columns, bits));
    if (command == "unpack-rows") Print(UnpackRows(TakeAll<int32_t>(&in), rows, columns, bits));
    if (command == "unpack-columns") Print(UnpackColumns(TakeAll<int32_t>(&in), rows, columns, bits));
  } else {
    return absl::InvalidArgumentError("usage: see the top of quant_probe.cc");
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  const absl::Status status = heroq::Run({argv + 1, argv + argc});
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
