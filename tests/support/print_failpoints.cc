// Prints the name of every failpoint, one a line.
#include <iostream>

#include "common/file/failpoint.h"

int main() {
  for (const absl::string_view name : heroq::FailpointNames()) std::cout << name << "\n";
}
