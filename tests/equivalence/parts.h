// SPDX-License-Identifier: Apache-2.0
// Between a rank's parts of tensors and whole tensors of doubles.
#pragma once
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/errors.h"
#include "program/program.h"
#include "run/run.h"
#include "trial.h"

namespace pleat::equivalence {

using base::DType;
using program::Program;
using program::StateSlot;

inline std::vector<double> as_doubles(std::span<const std::byte> bytes, DType dtype) {
  std::vector<double> values(bytes.size() / static_cast<size_t>(base::size_of(dtype)));
  for (size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::f64) {
      std::memcpy(&values[i], bytes.data() + i * sizeof(double), sizeof(double));
    } else {
      float value;
      std::memcpy(&value, bytes.data() + i * sizeof(float), sizeof(float));
      values[i] = value;
    }
  }
  return values;
}

inline void put_doubles(const double* values, DType dtype, std::span<std::byte> bytes) {
  for (size_t i = 0; i < bytes.size() / static_cast<size_t>(base::size_of(dtype)); ++i) {
    const float narrow = static_cast<float>(values[i]);
    if (dtype == DType::f64) {
      std::memcpy(bytes.data() + i * sizeof(double), values + i, sizeof(double));
    } else {
      std::memcpy(bytes.data() + i * sizeof(float), &narrow, sizeof(float));
    }
  }
}

/// First element of a rank's part of a slot in the whole tensor: parts are whole rows.
inline int64_t first_element(const Program& program, base::Rank rank, const StateSlot& slot) {
  return program.layout.local_begin(slot.global, slot.placements, rank)[0] * slot.global.row_elements();
}

template <class Body>
void for_each_slot(const Program& program, base::Rank rank, Body&& body) {
  for (const StateSlot& slot : program.state)
    if (slot.stage == program.layout.stage_of(rank).value) body(slot);
}

inline void put_state(const Program& program, base::Rank id, run::Rank& rank, const State& state) {
  for_each_slot(program, id, [&](const StateSlot& slot) {
    const std::vector<double>& whole = state[static_cast<size_t>(slot.role)].at(slot.name);
    put_doubles(whole.data() + first_element(program, id, slot), slot.region.type.dtype, rank.state(slot));
  });
}

/// Puts a part where it belongs in the whole; copies must be equal to the bit.
inline void join(Tensors& tensors, const std::string& name, int64_t elements, int64_t first,
                 const std::vector<double>& part) {
  std::vector<double>& whole = tensors[name];
  whole.resize(static_cast<size_t>(elements), std::nan(""));
  for (size_t i = 0; i < part.size(); ++i) {
    double& place = whole[static_cast<size_t>(first) + i];
    if (!std::isnan(place) && std::memcmp(&place, &part[i], sizeof place) != 0)
      base::fail<base::CheckError>("two copies of {}[{}] differ: {} and {}", name,
                                   first + static_cast<int64_t>(i), place, part[i]);
    place = part[i];
  }
}

/// Of an output of the rank's stage.
inline DType output_dtype(const Program& program, base::Rank rank, std::string_view name) {
  for (const program::Port& port : program.outputs)
    if (port.name == name && port.stage == program.layout.stage_of(rank).value) return port.region.type.dtype;
  base::fail<base::CheckError>("no output '{}'", name);
}

}  // namespace pleat::equivalence
