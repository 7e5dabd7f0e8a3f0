// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_ports.h"

#include <cstring>

#include "base/errors.h"
#include "data/permutation.h"

namespace pleat::cli {
namespace {

class RandomTokens final : public run::Ports {
 public:
  RandomTokens(const config::Job& job, base::Rank rank) : job_(job), rank_(rank) {}

  void fill(std::string_view port, int64_t step, int micro_batch, std::span<std::byte> bytes) override {
    const int64_t sequence = job_.train.sequence;
    if (port == "scalars") return fill_scalars(step, bytes);
    if (port == "seed.loss")
      return fill_seeds(bytes, 1.0 / static_cast<double>(job_.train.global_batch * sequence));
    if (port.starts_with("seed."))
      return fill_seeds(
          bytes, static_cast<double>(job_.train.micro_batch) / static_cast<double>(job_.train.global_batch));
    if (port == "loss_weights") return fill_each<float>(bytes, [](int64_t) { return 1.0F; });
    fill_each<int32_t>(bytes, [&](int64_t t) -> int32_t {
      if (port == "tokens") return token(step, micro_batch, t);
      if (port == "targets") return token(step, micro_batch, t + 1);
      if (port == "positions") return static_cast<int32_t>(t % sequence);
      if (port == "documents") return 0;
      base::fail<base::CheckError>("no data for port '{}'", port);
    });
  }
  void take(std::string_view, int64_t, int, std::span<const std::byte>) override {}

 private:
  template <class T, class Value>
  static void fill_each(std::span<std::byte> bytes, const Value& value) {
    for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
      const T v = value(static_cast<int64_t>(i));
      std::memcpy(bytes.data() + i * sizeof(T), &v, sizeof(T));
    }
  }

  void fill_scalars(int64_t step, std::span<std::byte> bytes) const {
    fill_each<double>(bytes, [&](int64_t i) {
      if (i == 0) return config::learning_rate(job_.optimizer, job_.train.steps, step + 1);
      return i == 1 ? static_cast<double>(step + 1) : 0.0;
    });
  }

  void fill_seeds(std::span<std::byte> bytes, double seed) const {
    if (job_.precision == config::Precision::fp64)
      return fill_each<double>(bytes, [&](int64_t) { return seed; });
    fill_each<float>(bytes, [&](int64_t) { return static_cast<float>(seed); });
  }

  int32_t token(int64_t step, int micro_batch, int64_t t) const {
    const uint64_t block = (static_cast<uint64_t>(step) << 32) ^ (static_cast<uint64_t>(micro_batch) << 16) ^
                           static_cast<uint64_t>(rank_.value);
    const uint64_t word = data::mix(data::mix(block) + static_cast<uint64_t>(t));
    return static_cast<int32_t>(word % static_cast<uint64_t>(job_.model.vocab_size));
  }

  const config::Job& job_;
  base::Rank rank_;
};

}  // namespace

std::unique_ptr<run::Ports> bench_ports(const config::Job& job, base::Rank rank) {
  return std::make_unique<RandomTokens>(job, rank);
}

}  // namespace pleat::cli
