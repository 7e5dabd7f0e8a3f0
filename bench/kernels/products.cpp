// SPDX-License-Identifier: Apache-2.0
// Products against oneDNN alone with packed weights, the packing of ours included: one bound kernel, one
// thread each.
#include <fmt/format.h>
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "bound_kernel.h"
#include "rounds.h"

namespace pleat::bench {
namespace {

using base::DType;
using base::Shape;
using graph::OperandType;

struct Size {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
};

/// oneDNN's matmul with weights already in the layout it likes best.
class OneDnn {
 public:
  OneDnn(const Size& z, DType dtype) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    using Tag = dnnl::memory::format_tag;
    const auto type = dtype == DType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
    const auto result = z.transpose_a ? dnnl::memory::data_type::f32 : type;
    const dnnl::memory::desc a({z.m, z.k}, type, z.transpose_a ? Tag::ba : Tag::ab),
        b({z.k, z.n}, type, Tag::any), y({z.m, z.n}, result, Tag::ab);
    const dnnl::matmul::primitive_desc description({a, b, y}, engine_);
    matmul_ = dnnl::matmul(description);
    arguments_ = {{DNNL_ARG_SRC, dnnl::memory(description.src_desc(), engine_)},
                  {DNNL_ARG_WEIGHTS, dnnl::memory(description.weights_desc(), engine_)},
                  {DNNL_ARG_DST, dnnl::memory(description.dst_desc(), engine_)}};
    for (auto& [kind, memory] : arguments_)
      std::memset(memory.get_data_handle(), 0, memory.get_desc().get_size());
  }
  void run() { matmul_.execute(stream_, arguments_); }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

graph::Signature signature_of(const Size& z, DType dtype) {
  graph::Signature s;
  s.op = graph::Op::matmul;
  s.attributes = {{"transpose_a", int64_t{z.transpose_a}}, {"transpose_b", int64_t{z.transpose_b}}};
  s.reads = {OperandType::dense(dtype, z.transpose_a ? Shape{z.k, z.m} : Shape{z.m, z.k}),
             OperandType::dense(dtype, z.transpose_b ? Shape{z.n, z.k} : Shape{z.k, z.n})};
  s.writes = {OperandType::dense(z.transpose_a ? DType::f32 : dtype, {z.m, z.n})};
  return s;
}

void compare(const Size& z, DType dtype, kernels::Team& team) {
  const BoundKernel ours(signature_of(z, dtype), team);
  OneDnn other(z, dtype);
  const Ratio r = in_turns([&] { ours.run(); }, [&] { other.run(); });
  const double gigaflops = 2e-9 * static_cast<double>(z.m * z.n * z.k);
  fmt::print(
      "{:5} {:5} x {:5} x {:5} {}{}: {:9.1f} us {:7.1f} GF/s, oneDNN packed {:7.1f} GF/s, ratio {:.2f}\n",
      base::name_of(dtype), z.m, z.n, z.k, z.transpose_a ? 't' : 'n', z.transpose_b ? 't' : 'n', r.ours * 1e6,
      gigaflops / r.ours, gigaflops / r.other, r.speed);
}

}  // namespace
}  // namespace pleat::bench

int main() {
  using pleat::bench::Size;
  omp_set_num_threads(1);
  pleat::kernels::Team team(1);
  for (const auto dtype : {pleat::base::DType::f32, pleat::base::DType::bf16})
    for (const Size& z : {Size{2048, 3072, 768, false, true}, Size{2048, 3072, 768, false, false},
                          Size{3072, 768, 2048, true, false}, Size{512, 512, 512, false, true},
                          Size{2048, 128, 128, false, true}, Size{2048, 512, 128, false, true},
                          Size{512, 128, 2048, true, false}, Size{64, 512, 128, false, true}})
      pleat::bench::compare(z, dtype, team);
}
