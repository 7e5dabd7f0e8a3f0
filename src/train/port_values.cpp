// SPDX-License-Identifier: Apache-2.0
#include "train/port_values.h"

#include <cstring>

#include "base/errors.h"

namespace pleat::train {
namespace {

template <class T>
T element(std::span<const std::byte> bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

}  // namespace

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
