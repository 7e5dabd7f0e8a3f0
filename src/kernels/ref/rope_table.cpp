// SPDX-License-Identifier: Apache-2.0
// table[s, i] = af cos(angle), table[s, N/2 + i] = af sin(angle), angle = s inv_freq[i], in the steps and the
// fp32 rounding of Hugging Face's modeling_rope_utils.py: at position 8,000 another rounding of inv_freq
// shows in the third digit.
//   default  inv = theta^(-2i/N)                  linear  inv / factor
//   llama3   wave = 2 pi / inv, P = original_max_position_embeddings: wave > P/low: inv / factor; wave <
//   P/high: inv;
//            between: (1 - m) inv / factor + m inv, m = (P/wave - low) / (high - low)
//   yarn     inv / factor ramp + inv (1 - ramp), the ramp from 0 to 1 over the dims that turn beta_fast to
//   beta_slow
//            times in P positions; af = attention_factor, or 0.1 ln(factor) + 1
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

namespace {

using graph::Attributes;

/// The extension of inv_freq to longer texts; everything in fp32, as there.
float llama3(float inv, const Attributes& a) {
  const float factor = static_cast<float>(a.number("factor"));
  const double low = a.number("low_freq_factor"), high = a.number("high_freq_factor");
  const double positions = a.number("original_max_position_embeddings");
  const float wave = static_cast<float>(2 * std::numbers::pi) / inv;
  if (wave > static_cast<float>(positions / low)) return inv / factor;
  if (wave < static_cast<float>(positions / high)) return inv;
  const float span = static_cast<float>(high - low);
  const float m = (static_cast<float>(positions) / wave - static_cast<float>(low)) / span;
  return (1 - m) * inv / factor + m * inv;
}

/// The dims between which yarn's ramp runs.
std::pair<double, double> yarn_range(int64_t width, const Attributes& a) {
  const double N = static_cast<double>(width), positions = a.number("original_max_position_embeddings");
  const auto turns = [&](double n) {
    return N * std::log(positions / (n * 2 * std::numbers::pi)) / (2 * std::log(a.number("theta")));
  };
  double low = turns(a.number("beta_fast")), high = turns(a.number("beta_slow"));
  if (a.integer_or("truncate", 1) != 0) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, N - 1);
  return {low, low == high ? high + 0.001 : high};
}

float yarn(float power, int64_t i, int64_t width, const Attributes& a) {
  const auto [low, high] = yarn_range(width, a);
  const float position = static_cast<float>(i) - static_cast<float>(low);
  const float ramp = std::clamp(position / static_cast<float>(high - low), 0.0f, 1.0f);
  const float interpolated = 1 / (static_cast<float>(a.number("factor")) * power), extrapolated = 1 / power;
  const float kept = 1 - ramp;
  return interpolated * (1 - kept) + extrapolated * kept;
}

float inverse_frequency(int64_t i, int64_t width, const Attributes& a) {
  const std::string& type = a.word("type");
  const float exponent = static_cast<float>(2 * i) / static_cast<float>(width);
  const float power = static_cast<float>(std::pow(a.number("theta"), static_cast<double>(exponent)));
  const float inv = 1 / power;
  if (type == "linear") return inv / static_cast<float>(a.number("factor"));
  if (type == "llama3") return llama3(inv, a);
  if (type == "yarn") return yarn(power, i, width, a);
  return inv;
}

double attention_factor(const Attributes& a) {
  if (a.has("attention_factor")) return a.number("attention_factor");
  if (a.word("type") != "yarn" || a.number("factor") <= 1) return 1;
  return 0.1 * std::log(a.number("factor")) + 1;
}

}  // namespace

std::unique_ptr<Kernel> rope_table(const Signature& signature) {
  const int64_t N = signature.writes[0].shape[1];
  const double factor = attention_factor(signature.attributes);
  std::vector<float> inv(static_cast<size_t>(N / 2));
  for (int64_t i = 0; i < N / 2; ++i) inv[i] = inverse_frequency(i, N, signature.attributes);
  return kernel(signature, [inv, factor](const Operands& operands) {
    const Result& table = operands.out[0];
    const int64_t half = table.columns() / 2;
    for (int64_t s = 0; s < table.rows(); ++s)
      for (int64_t i = 0; i < half; ++i) {
        const double angle = static_cast<float>(s) * inv[i];
        table.put(s, i, factor * std::cos(angle));
        table.put(s, half + i, factor * std::sin(angle));
      }
  });
}

}  // namespace pleat::kernels::ref
