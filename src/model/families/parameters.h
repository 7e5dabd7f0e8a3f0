// SPDX-License-Identifier: Apache-2.0
// The parameters a model has: names, shapes, how they start, whether they decay. Stored parameters are fused
// (q, k and v in one matrix, gate and up in one, the experts of a layer in one), because that is what the
// products want; Hugging Face's unfused tensors are rectangular slices of them.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/shape.h"
#include "config/model_config.h"

namespace pleat::model {

enum class ParameterKind : uint8_t { embedding, head, norm, matrix, bias, router, experts };
enum class Initialisation : uint8_t { normal, ones, zeros };

struct Parameter {
  std::string name;
  base::Shape shape;
  ParameterKind kind = ParameterKind::matrix;
  int64_t layer = -1;  // -1: outside the layers
  Initialisation initialisation = Initialisation::normal;
  double deviation = 0;       // of the normal
  bool weight_decay = false;  // matrices, embeddings and experts; not norms, not biases
  bool operator==(const Parameter&) const = default;
};

/// All parameters, ordered by name as std::string orders: the canonical order of gradient norms and
/// checkpoints.
std::vector<Parameter> parameters(const config::ModelConfig& config);
/// Those of one layer, in the same order.
std::vector<Parameter> layer_parameters(const config::ModelConfig& config, int64_t layer);
/// Throws CheckError when the model has none of this name.
Parameter parameter_named(const config::ModelConfig& config, std::string_view name);

/// A tensor of a Hugging Face file: `extent` elements of `parameter` from `begin` on, in row-major order,
/// seen as `shape` (experts: the extent is 1 in the expert dim, which `shape` leaves out).
struct HuggingFaceTensor {
  std::string name;
  base::Shape shape;
  std::string parameter;
  base::Shape begin;
  base::Shape extent;
  bool operator==(const HuggingFaceTensor&) const = default;
};
/// Hub (unfused) names, ordered by parameter and then by position in it; together they tile every parameter.
std::vector<HuggingFaceTensor> hugging_face_tensors(const config::ModelConfig& config);
/// The fused names that transformers 5 has in memory for the experts and some files carry; accepted on
/// reading.
std::vector<HuggingFaceTensor> fused_hugging_face_tensors(const config::ModelConfig& config);

/// The slice [begin, begin + extent) of a parameter's initial values, row-major. Element i of the whole
/// parameter depends on (seed, name, i) only, so any cut of it over ranks gives the same model.
void initial_values(const config::ModelConfig& config, std::string_view name, const base::Shape& begin,
                    const base::Shape& extent, uint64_t seed, std::span<float> values);
void initial_values(const Parameter& parameter, const base::Shape& begin, const base::Shape& extent,
                    uint64_t seed, std::span<float> values);

}  // namespace pleat::model
