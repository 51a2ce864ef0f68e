#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/linear_storage.h"

namespace heroq {

// What is wrong with `index`, the group of each input column; empty when nothing is: every entry is a group,
// every group has as many columns as its scale stands for (the last one those that remain), and, unless the
// storage allows any order, column i belongs to group i / group_length.
std::string WrongGroupIndex(const std::vector<int32_t>& index, const LinearStorage& storage);

}  // namespace heroq
