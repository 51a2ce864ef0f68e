#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expression` from the enclosing function unless it is OK.
#define HEROQ_RETURN_IF_ERROR(expression)                               \
  do {                                                                  \
    if (absl::Status heroq_status = (expression); !heroq_status.ok()) { \
      return heroq_status;                                              \
    }                                                                   \
  } while (false)

// Evaluates a StatusOr; returns its error, or assigns its value: HEROQ_ASSIGN_OR_RETURN(auto x, MakeX());
#define HEROQ_ASSIGN_OR_RETURN(declaration, expression) \
  HEROQ_ASSIGN_OR_RETURN_IMPL(HEROQ_CONCAT(heroq_statusor_, __LINE__), declaration, expression)

#define HEROQ_ASSIGN_OR_RETURN_IMPL(name, declaration, expression) \
  auto name = (expression);                                        \
  if (!name.ok()) return std::move(name).status();                 \
  declaration = *std::move(name)

#define HEROQ_CONCAT(a, b) HEROQ_CONCAT_IMPL(a, b)
#define HEROQ_CONCAT_IMPL(a, b) a##b
