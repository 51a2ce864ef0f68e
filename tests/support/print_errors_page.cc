// Prints docs/reference/errors.md: build/dev/bin/print_errors_page > docs/reference/errors.md
#include <cstdio>

#include "tests/support/errors_page.h"

int main() { std::fputs(heroq::ErrorsPage().c_str(), stdout); }
