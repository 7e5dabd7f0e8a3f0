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
bool within(double got, double want, double bound) {
  return std::abs(got - want) <= bound;
}

AssertionResult too_far(double got, double want, double bound, const std::string& what) {
  return AssertionFailure() << fmt::format(
             "{}: {} and {} differ by {:.3g}, the bound is {:.3g} ({:.2f} times)", what, got, want,
             std::abs(got - want), bound, std::abs(got - want) / bound);
}

double root_mean_square_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

/// How far each tensor may be from `want`: by its own distance from `exact`, at least by the average of all
/// tensors' distances in relation to their sizes.
template <class Size>
std::map<std::string, double> bounds(const Tensors& want, const Tensors& exact, Size size) {
  double sum = 0;
  for (const auto& [name, values] : want)
    sum += largest_distance(values, exact.at(name)) / size(name, values);
  const double average = sum / static_cast<double>(want.size());
  std::map<std::string, double> result;
  for (const auto& [name, values] : want)
    result[name] =
        kDistances * std::max(largest_distance(values, exact.at(name)), average * size(name, values));
  return result;
}

AssertionResult near(const std::vector<double>& got, const std::vector<double>& want, double bound,
                     const std::string& what) {
  if (got.size() != want.size()) return AssertionFailure() << what << ": another size";
  for (size_t i = 0; i < got.size(); ++i)
    if (!within(got[i], want[i], bound))
      return too_far(got[i], want[i], bound, fmt::format("{}[{}]", what, i));
  return AssertionSuccess();
}

AssertionResult near(const Tensors& got, const Tensors& want, const std::map<std::string, double>& bounds,
                     const std::string& what) {
  for (const auto& [name, values] : want)
    if (AssertionResult r = near(got.at(name), values, bounds.at(name), what + name); !r) return r;
  return AssertionSuccess();
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
      const std::vector<double>& mine = a.gradients.at(name);
      for (size_t i = 0; i < values.size(); ++i)
        if (!within(mine[i], values[i], order * terms[i]))
          return too_far(mine[i], values[i], order * terms[i],
                         fmt::format("{}gradient of {}[{}]", step, name, i));
    }
  }
  return AssertionSuccess();
}

AssertionResult within_roundings(const Recording& got, const Recording& want, const Recording& exact) {
  for (size_t k = 0; k < want.steps.size(); ++k) {
    const StepRecord &a = got.steps[k], &b = want.steps[k], &e = exact.steps[k];
    const std::string step = fmt::format("step {}, ", k + 1);
    const double bound = kDistances * largest_distance(b.token_losses, e.token_losses);
    if (!within(a.loss, b.loss, bound)) return too_far(a.loss, b.loss, bound, step + "loss");
    if (AssertionResult r = near(a.token_losses, b.token_losses, bound, step + "token losses"); !r) return r;
    const auto size = [](const std::string&, const std::vector<double>& values) { return largest(values); };
    const auto allowed = bounds(b.gradients, e.gradients, size);
    if (AssertionResult r = near(a.gradients, b.gradients, allowed, step + "gradient of "); !r) return r;
  }
  const auto moved = [&](const std::string& name, const std::vector<double>& values) {
    return root_mean_square_distance(values, want.steps[0].before[0].at(name));
  };
  const auto allowed = bounds(want.after[0], exact.after[0], moved);
  for (const auto& [name, values] : want.after[0])
    if (const double distance = moved(name, values); distance < 1000 * allowed.at(name))
      return AssertionFailure() << fmt::format(
                 "weight {} moved by {:.3g}, its bound of {:.3g} is worth nothing", name, distance,
                 allowed.at(name));
  return near(got.after[0], want.after[0], allowed, "weight ");
}

}  // namespace pleat::equivalence
