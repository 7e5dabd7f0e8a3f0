// SPDX-License-Identifier: Apache-2.0
#include "train/forward.h"

#include <cstring>
#include <mutex>

#include "base/errors.h"
#include "checkpoint/safetensors.h"
#include "compile/compile.h"
#include "config/suggest.h"
#include "kernels/catalogue.h"
#include "model/families/hugging_face_config.h"
#include "model/families/parameters.h"
#include "run/crew.h"
#include "train/port_values.h"
#include "train/request.h"
#include "train/weights.h"

namespace pleat::train {
namespace {

using base::DType;
using program::Program;

/// What all ranks have sent out, put together.
struct Collected {
  std::mutex mutex;
  ForwardResult result;
  std::map<std::string, double> metrics;
  std::map<std::string, std::vector<double>> parameters;  // stored parameters, whole
};

class ForwardPorts final : public run::Ports {
 public:
  ForwardPorts(const Program& program, base::Rank rank, const TokenBatch& batch, int64_t vocabulary,
               Collected& out)
      : program_(program),
        rank_(rank),
        batch_(batch),
        vocabulary_(vocabulary),
        out_(out),
        first_token_(program.layout.coordinate(rank, layout::Axis::dp) * program.tokens),
        sample_(program.tokens) {
    read_samples();
  }

  void fill(std::string_view port, int64_t, int, std::span<std::byte> bytes) override {
    if (port.starts_with("seed.")) {
      const auto targets = static_cast<double>(batch_.samples * (batch_.sequence - 1));
      return fill_floats(bytes, port_of(port).region.type.dtype, port == "seed.loss" ? 1.0 / targets : 1.0);
    }
    copy_sample(sample_, port, bytes);
  }

  void take(std::string_view port, int64_t, int, std::span<const std::byte> bytes) override {
    const std::vector<double> values = as_doubles(bytes, port_of(port).region.type.dtype);
    const std::lock_guard lock(out_.mutex);
    if (port == "logits") {
      const int64_t begin = first_token_ * vocabulary_;
      for (size_t i = 0; i < values.size(); ++i)
        out_.result.logits[begin + i] = static_cast<float>(values[i]);
    } else if (port == "loss") {
      std::copy(values.begin(), values.end(), out_.result.token_loss.begin() + first_token_);
    } else if (port.starts_with("metric.")) {
      out_.metrics[std::string(port)] = values[0];
    } else if (port.starts_with("gradient.")) {
      take_gradient(std::string(port.substr(9)), values);
    }
  }

 private:
  /// Every token but the last of a sample has a target.
  void read_samples() {
    for (int64_t t = 0; t < program_.tokens; ++t) {
      const auto i = static_cast<size_t>(t);
      const bool counts = (t + 1) % batch_.sequence != 0;
      sample_.tokens[i] = static_cast<int32_t>(batch_.ids[first_token_ + t]);
      sample_.targets[i] = counts ? static_cast<int32_t>(batch_.ids[first_token_ + t + 1]) : 0;
      sample_.positions[i] = static_cast<int32_t>(t % batch_.sequence);
      sample_.weights[i] = counts ? 1.0f : 0.0f;
    }
  }

  const program::Port& port_of(std::string_view name) const {
    return port_named(program_, name, program_.layout.stage_of(rank_));
  }

  /// The rank's part of a gradient into the whole; data-parallel copies and holders write the same numbers.
  void take_gradient(const std::string& parameter, const std::vector<double>& values) {
    for (const program::StateSlot& slot : program_.state) {
      if (slot.name != parameter || slot.stage != program_.layout.stage_of(rank_).value) continue;
      std::vector<double>& whole = out_.parameters[parameter];
      whole.resize(static_cast<size_t>(slot.global.elements()));
      const int64_t row = program_.layout.local_begin(slot.global, slot.placements, rank_)[0];
      std::copy(values.begin(), values.end(), whole.begin() + row * slot.global.row_elements());
    }
  }

  const Program& program_;
  base::Rank rank_;
  const TokenBatch& batch_;
  int64_t vocabulary_;
  Collected& out_;
  int64_t first_token_;
  data::Sample sample_;
};

void check_batch(const ForwardOptions& options, const TokenBatch& batch, const config::ModelConfig& model) {
  if (batch.samples % options.layout.dp != 0)
    base::fail<base::JobError>("axis dp of size {} does not divide the batch of {} samples: choose one of {}",
                               options.layout.dp, batch.samples,
                               fmt::join(config::divisors(batch.samples), ", "));
  if (batch.sequence < 2)
    base::fail<base::JobError>("a sequence of {} tokens has no next token", batch.sequence);
  for (size_t i = 0; i < batch.ids.size(); ++i)
    if (batch.ids[i] < 0 || batch.ids[i] >= model.vocab_size)
      base::fail<base::DataError>("input_ids[{}, {}] = {} is outside the vocabulary of {}",
                                  i / batch.sequence, i % batch.sequence, batch.ids[i], model.vocab_size);
}

compile::Request request_of(const ForwardOptions& options, const TokenBatch& batch,
                            const config::ModelConfig& model) {
  compile::Request request;
  request.name = "forward";
  request.purpose = options.gradients ? compile::Purpose::gradients : compile::Purpose::forward;
  request.model = model;
  request.layout = layout_of(options.layout, "");
  request.activation = dtypes_of(options.precision).activation;
  request.exact = dtypes_of(options.precision).exact;
  request.micro_batch = batch.samples / options.layout.dp;
  request.sequence = batch.sequence;
  request.scope = model::AuxiliaryScope::all_ranks;
  request.catalogue = options.reference_kernels ? kernels::reference_catalogue() : kernels::catalogue();
  request.threads = threads_of(request.layout, options.cores);
  request.emit = {"logits", "loss"};
  return request;
}

void unfuse(const config::ModelConfig& model, const std::map<std::string, std::vector<double>>& parameters,
            ForwardResult& result) {
  for (const model::HuggingFaceTensor& tensor : model::hugging_face_tensors(model)) {
    const auto found = parameters.find(tensor.parameter);
    if (found == parameters.end()) continue;
    const base::Shape shape = model::parameter_named(model, tensor.parameter).shape;
    int64_t offset = 0;
    for (int dim = 0; dim < shape.dims(); ++dim) offset = offset * shape[dim] + tensor.begin[dim];
    const auto begin = found->second.begin() + offset;
    result.gradients[tensor.name].assign(begin, begin + tensor.shape.elements());
  }
}

}  // namespace

TokenBatch read_tokens(const std::filesystem::path& path) {
  const checkpoint::SafetensorsFile file(path);
  const checkpoint::TensorInfo& info = file.tensor("input_ids");
  if (info.dtype != DType::i64 || info.shape.dims() != 2)
    base::fail<base::DataError>("{}: input_ids is {} {}, expected int64 [B,S]", path.string(),
                                info.stored_dtype, base::to_string(info.shape));
  TokenBatch batch{info.shape[0], info.shape[1],
                   std::vector<int64_t>(static_cast<size_t>(info.shape.elements()))};
  file.read(info, DType::i64, std::as_writable_bytes(std::span(batch.ids)));
  return batch;
}

ForwardResult forward(const ForwardOptions& options, const TokenBatch& batch) {
  const config::ModelConfig model = model::read_hugging_face_config(options.model.string());
  check_batch(options, batch, model);
  const Program program = compile::compile(request_of(options, batch, model));
  const checkpoint::SafetensorsFolder folder(options.model);
  Collected out;
  out.result.logits.resize(static_cast<size_t>(batch.samples * batch.sequence * model.vocab_size));
  out.result.token_loss.resize(static_cast<size_t>(batch.samples * batch.sequence));
  const auto ports = [&](base::Rank rank) {
    return std::make_unique<ForwardPorts>(program, rank, batch, model.vocab_size, out);
  };
  run::Crew crew(program, ports, {});
  crew.each([&](base::Rank id, run::Rank& rank) { read_hugging_face(program, id, rank, model, folder); });
  crew.run(1);
  ForwardResult& result = out.result;
  result.cross_entropy = out.metrics["metric.loss"] / out.metrics["metric.tokens"];
  result.balance_loss = out.metrics["metric.balance_loss"];
  result.z_loss = out.metrics["metric.z_loss"];
  result.loss = result.cross_entropy;
  if (model.output_router_logits)
    result.loss +=
        model.router_aux_loss_coef * result.balance_loss + model.router_z_loss_coef * result.z_loss;
  unfuse(model, out.parameters, result);
  return std::move(out.result);
}

void write_forward(const std::filesystem::path& path, const ForwardOptions& options, const TokenBatch& batch,
                   const ForwardResult& result) {
  const config::ModelConfig model = model::read_hugging_face_config(options.model.string());
  std::vector<checkpoint::TensorSpec> specs{
      {"logits", DType::f32, {batch.samples, batch.sequence, model.vocab_size}}, {"loss", DType::f32, {}}};
  if (options.gradients)
    for (const model::HuggingFaceTensor& tensor : model::hugging_face_tensors(model))
      specs.push_back({"grad." + tensor.name, DType::f32, tensor.shape});
  checkpoint::SafetensorsWriter writer(path, specs);
  const float loss = static_cast<float>(result.loss);
  for (const checkpoint::TensorSpec& spec : std::vector(writer.order().begin(), writer.order().end())) {
    if (spec.name == "logits") {
      writer.write(spec.name, std::as_bytes(std::span(result.logits)));
    } else if (spec.name == "loss") {
      writer.write(spec.name, std::as_bytes(std::span(&loss, 1)));
    } else {
      writer.write(spec.name, std::as_bytes(std::span(result.gradients.at(spec.name.substr(5)))));
    }
  }
  writer.commit();
}

}  // namespace pleat::train
