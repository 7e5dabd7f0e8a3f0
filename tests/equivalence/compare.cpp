// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace pleat::equivalence {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

constexpr std::array<const char*, 3> kRoles{"weight", "first moment", "second moment"};

bool same(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

AssertionResult same_values(const std::vector<double>& got, const std::vector<double>& want,
                            const std::string& what) {
  if (got.size() != want.size())
    return AssertionFailure() << what << ": " << got.size() << " numbers, expected " << want.size();
  for (size_t i = 0; i < got.size(); ++i)
    if (!same(got[i], want[i]))
      return AssertionFailure() << fmt::format("{}[{}]: {} is not {}", what, i, got[i], want[i]);
  return AssertionSuccess();
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (double value : values) most = std::max(most, std::abs(value));
  return most;
}

double largest_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

/// A NaN is never within.
AssertionResult near(double got, double want, double bound, const std::string& what) {
  if (std::abs(got - want) <= bound) return AssertionSuccess();
  return AssertionFailure() << fmt::format(
             "{}: {} and {} differ by {:.3g}, the bound is {:.3g} ({:.2f} times)", what, got, want,
             std::abs(got - want), bound, std::abs(got - want) / bound);
}

AssertionResult near(const std::vector<double>& got, const std::vector<double>& want,
                     const std::vector<double>& exact, const std::string& what) {
  if (got.size() != want.size()) return AssertionFailure() << what << ": another size";
  // At least a rounding of the largest number: an exact result is no reason to demand one.
  const double bound = std::max(kDistances * largest_distance(want, exact), std::ldexp(largest(want), -24));
  for (size_t i = 0; i < got.size(); ++i)
    if (AssertionResult r = near(got[i], want[i], bound, fmt::format("{}[{}]", what, i)); !r) return r;
  return AssertionSuccess();
}

double root_mean_square_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

double order_of_sums(int64_t terms) {
  const double nu = static_cast<double>(terms - 1) * std::ldexp(1.0, -24);
  return 2 * nu / (1 - nu);
}

bool of_experts(const std::string& parameter) {
  return parameter.find(".experts.") != std::string::npos;
}

}  // namespace

AssertionResult same_bits(const Tensors& got, const Tensors& want, const std::string& what) {
  if (got.size() != want.size())
    return AssertionFailure() << what << ": " << got.size() << " tensors of " << want.size();
  for (const auto& [name, values] : want) {
    const auto found = got.find(name);
    if (found == got.end()) return AssertionFailure() << what << " of " << name << " is missing";
    if (AssertionResult r = same_values(found->second, values, what + " of " + name); !r) return r;
  }
  return AssertionSuccess();
}

AssertionResult same_bits(const Recording& got, const Recording& want) {
  if (got.steps.size() != want.steps.size()) return AssertionFailure() << "another number of steps";
  for (size_t k = 0; k < want.steps.size(); ++k) {
    const StepRecord &a = got.steps[k], &b = want.steps[k];
    const std::string step = fmt::format("step {}, ", k + 1);
    if (AssertionResult r = same_values({a.loss, a.grad_norm}, {b.loss, b.grad_norm}, step + "loss and norm");
        !r)
      return r;
    if (AssertionResult r = same_values(a.token_losses, b.token_losses, step + "token losses"); !r) return r;
    if (AssertionResult r = same_bits(a.gradients, b.gradients, step + "gradient"); !r) return r;
  }
  for (size_t role = 0; role < kRoles.size(); ++role)
    if (AssertionResult r = same_bits(got.after[role], want.after[role], kRoles[role]); !r) return r;
  return AssertionSuccess();
}

AssertionResult within_order_of_sums(const Recording& got, const Recording& want,
                                     const std::vector<Tensors>& magnitudes, int64_t micro_batches,
                                     int64_t rows_per_expert) {
  for (size_t k = 0; k < want.steps.size(); ++k) {
    const StepRecord &a = got.steps[k], &b = want.steps[k];
    const std::string step = fmt::format("step {}, ", k + 1);
    if (AssertionResult r = same_values(a.token_losses, b.token_losses, step + "token losses"); !r) return r;
    for (const auto& [name, values] : b.gradients) {
      const std::vector<double>& terms = magnitudes[k].at(name);
      const double order = order_of_sums(of_experts(name) ? rows_per_expert + micro_batches : micro_batches);
      for (size_t i = 0; i < values.size(); ++i)
        if (AssertionResult r = near(a.gradients.at(name)[i], values[i], order * terms[i],
                                     fmt::format("{}gradient of {}[{}]", step, name, i));
            !r)
          return r;
    }
  }
  return AssertionSuccess();
}

AssertionResult within_roundings(const Recording& got, const Recording& want, const Recording& exact) {
  for (size_t k = 0; k < want.steps.size(); ++k) {
    const StepRecord &a = got.steps[k], &b = want.steps[k], &e = exact.steps[k];
    const std::string step = fmt::format("step {}, ", k + 1);
    const double loss_bound = kDistances * largest_distance(b.token_losses, e.token_losses);
    if (AssertionResult r = near(a.loss, b.loss, loss_bound, step + "loss"); !r) return r;
    if (AssertionResult r = near(a.token_losses, b.token_losses, e.token_losses, step + "token losses"); !r)
      return r;
    for (const auto& [name, values] : b.gradients)
      if (AssertionResult r =
              near(a.gradients.at(name), values, e.gradients.at(name), step + "gradient of " + name);
          !r)
        return r;
  }
  for (const auto& [name, values] : want.after[0]) {
    if (AssertionResult r = near(got.after[0].at(name), values, exact.after[0].at(name), "weight " + name);
        !r)
      return r;
    const double moved = root_mean_square_distance(got.after[0].at(name), got.steps[0].before[0].at(name));
    const double bound = kDistances * largest_distance(values, exact.after[0].at(name));
    if (moved < 1000 * bound)
      return AssertionFailure() << fmt::format(
                 "weight {} moved by {:.3g}, its bound of {:.3g} is worth nothing", name, moved, bound);
  }
  return AssertionSuccess();
}

}  // namespace pleat::equivalence
