// SPDX-License-Identifier: Apache-2.0
#include "train/port_values.h"

#include <array>
#include <cstring>

#include "base/errors.h"
#include "train/request.h"

namespace pleat::train {
namespace {

template <class T>
T element(std::span<const std::byte> bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

template <class T>
void fill_each(std::span<std::byte> bytes, T value) {
  for (size_t i = 0; i < bytes.size() / sizeof value; ++i)
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
}

}  // namespace

void copy_sample(const data::Sample& sample, std::string_view port, std::span<std::byte> bytes) {
  const auto copy = [&](const auto& values) {
    if (bytes.size() != std::span(values).size_bytes())
      base::fail<base::CheckError>("port '{}' has {} bytes for {} tokens", port, bytes.size(), values.size());
    std::memcpy(bytes.data(), values.data(), bytes.size());
  };
  if (port == "tokens") return copy(sample.tokens);
  if (port == "targets") return copy(sample.targets);
  if (port == "positions") return copy(sample.positions);
  if (port == "documents") return copy(sample.documents);
  if (port == "loss_weights") return copy(sample.weights);
  base::fail<base::CheckError>("no data for port '{}'", port);
}

void fill_floats(std::span<std::byte> bytes, base::DType dtype, double value) {
  if (dtype == base::DType::f64) return fill_each(bytes, value);
  fill_each(bytes, static_cast<float>(value));
}

bool fill_of_step(std::string_view port, std::span<std::byte> bytes, const config::Job& job, int64_t step,
                  const std::function<double()>& token_seed) {
  if (port == "scalars") {
    const std::array<double, 8> scalars{config::learning_rate(job.optimizer, job.train.steps, step + 1),
                                        static_cast<double>(step + 1)};
    std::memcpy(bytes.data(), scalars.data(), bytes.size());
    return true;
  }
  if (!port.starts_with("seed.")) return false;
  // An auxiliary loss is the mean over the micro-batches of the global batch.
  const double auxiliary =
      static_cast<double>(job.train.micro_batch) / static_cast<double>(job.train.global_batch);
  fill_floats(bytes, dtypes_of(job.precision).exact, port == "seed.loss" ? token_seed() : auxiliary);
  return true;
}

std::vector<double> as_doubles(std::span<const std::byte> bytes, base::DType dtype) {
  std::vector<double> values(bytes.size() / static_cast<size_t>(base::size_of(dtype)));
  for (size_t i = 0; i < values.size(); ++i) switch (dtype) {
      case base::DType::f32:
        values[i] = element<float>(bytes, i);
        break;
      case base::DType::bf16:
        values[i] = static_cast<float>(element<base::bf16>(bytes, i));
        break;
      case base::DType::f64:
        values[i] = element<double>(bytes, i);
        break;
      default:
        base::fail<base::CheckError>("a port of dtype {} holds no numbers to read", base::name_of(dtype));
    }
  return values;
}

const program::Port& port_named(const program::Program& program, std::string_view name, base::Stage stage) {
  for (const auto* ports : {&program.outputs, &program.inputs})
    for (const program::Port& port : *ports)
      if (port.name == name && port.stage == stage.value) return port;
  base::fail<base::CheckError>("no port '{}' on stage {}", name, stage.value);
}

}  // namespace pleat::train
