// Lets Python tests learn rotations of one linear in float64:
//   rotation_probe ROWS COLUMNS BLOCK COUNT BITS GROUP_SIZE symmetric|asymmetric output|root-diagonal STEPS
// In: float64 weight [rows, columns], second moments [columns, columns] and rotations [count, block, block],
// int64 rotation of each block. Out: float64 loss and gradient [count, block, block] of these rotations,
// losses [steps + 1] of learning from them, float32 learned rotations [count, block, block].
#include <ATen/ops/from_blob.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "worker/device/thread_settings.h"
#include "worker/transform/rotation_learning.h"
#include "worker/transform/rotation_loss.h"

namespace heroq {
namespace {

template <typename T>
void Print(const T* values, int64_t count) {
  std::cout.write(reinterpret_cast<const char*>(values),
                  static_cast<std::streamsize>(static_cast<size_t>(count) * sizeof(T)));
}

int Run(const std::vector<std::string>& arguments) {
  SetTaskThreads(1);
  std::string in{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  std::vector<int64_t> numbers;
  for (const int index : {0, 1, 2, 3, 4, 5, 8}) numbers.push_back(std::atoll(arguments[index].c_str()));
  const int64_t rows = numbers[0];
  const int64_t columns = numbers[1];
  const int64_t block = numbers[2];
  const int64_t count = numbers[3];
  double* values = reinterpret_cast<double*>(in.data());
  RotationProblem problem;
  problem.weight = at::from_blob(values, {rows, columns}, at::kDouble);
  values += rows * columns;
  problem.second_moment = at::from_blob(values, {columns, columns}, at::kDouble);
  values += columns * columns;
  const at::Tensor initial = at::from_blob(values, {count, block, block}, at::kDouble);
  const auto* blocks = reinterpret_cast<const int64_t*>(values + count * block * block);
  problem.rotation_of_block.assign(blocks, blocks + columns / block);
  problem.scheme.weight_bits = static_cast<int>(numbers[4]);
  problem.scheme.group_size = static_cast<int>(numbers[5]);
  problem.scheme.symmetric = arguments[6] == "symmetric";
  RotationOptions options;
  options.metric = arguments[7] == "output" ? ErrorMetric::kOutput : ErrorMetric::kRootDiagonal;
  options.steps = static_cast<int>(numbers[6]);
  options.patience = options.steps + 1;

  const auto gradient = RotationLoss(problem, block, options.metric, rows).Evaluate(initial, {});
  const auto learned = LearnRotations(problem, initial, options, {});
  if (!gradient.ok() || !learned.ok()) {
    std::cerr << gradient.status() << " " << learned.status() << "\n";
    return 1;
  }
  Print(&gradient->loss, 1);
  Print(gradient->by_rotation.contiguous().const_data_ptr<double>(), initial.numel());
  Print(learned->losses.data(), static_cast<int64_t>(learned->losses.size()));
  Print(learned->rotations.contiguous().const_data_ptr<float>(), initial.numel());
  return 0;
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  if (argc != 10) {
    std::cerr << "rotation_probe: expected 9 arguments, see the top of rotation_probe.cc\n";
    return 2;
  }
  return heroq::Run(std::vector<std::string>(argv + 1, argv + argc));
}
