// SPDX-License-Identifier: Apache-2.0
// Products against oneDNN alone with packed weights, the packing of ours included: one bound kernel each, on
// one thread and on two. `pleat_bench_products`
#include <fmt/format.h>
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "bound_kernel.h"
#include "machine.h"
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

constexpr double kTarget = 0.9;  // of oneDNN's speed
constexpr double kUsable = 1.8;  // oneDNN's speed on 2 threads: below, the second is not a whole one
constexpr Size kLarge{2048, 3072, 768, false, true};  // the one with a target
constexpr Size kSizes[] = {kLarge,
                           {2048, 3072, 768, false, false},
                           {3072, 768, 2048, true, false},
                           {512, 512, 512, false, true},
                           {2048, 128, 128, false, true},
                           {2048, 512, 128, false, true},
                           {512, 128, 2048, true, false},
                           {64, 512, 128, false, true}};

double gigaflops(const Size& z, double seconds) {
  return 2e-9 * static_cast<double>(z.m * z.n * z.k) / seconds;
}

Ratio measured(const Size& z, DType dtype, kernels::Team& team) {
  omp_set_num_threads(team.size());
  const BoundKernel ours(signature_of(z, dtype), team);
  OneDnn other(z, dtype);
  return in_turns([&] { ours.run(); }, [&] { other.run(); });
}

/// How much faster oneDNN is on two threads, which tells whether the machine has two to give.
double gain_of_two(kernels::Team& one, kernels::Team& two) {
  const double alone = measured(kLarge, DType::bf16, one).other,
               both = measured(kLarge, DType::bf16, two).other;
  fmt::print("oneDNN, bf16: {:.0f} Gflop/s on 1 thread, {:.0f} on 2; peak(2)/peak(1) = {:.2f}\n",
             gigaflops(kLarge, alone), gigaflops(kLarge, both), alone / both);
  return alone / both;
}

void print_row(const Size& z, DType dtype, int threads, char mark, const Ratio& r, bool has_target) {
  fmt::print("{:5} {:5} x {:5} x {:5} {}{} {:7}{} {:9.1f} {:9.1f} {:7.2f}{}\n", base::name_of(dtype), z.m,
             z.n, z.k, z.transpose_a ? 't' : 'n', z.transpose_b ? 't' : 'n', threads, mark,
             gigaflops(z, r.ours), gigaflops(z, r.other), r.speed,
             has_target ? fmt::format(" {:7.2f}{}", kTarget, r.speed < kTarget ? "  below" : "") : "");
  std::fflush(stdout);
}

void run() {
  print_machine();
  kernels::Team one(1), two(2);
  const bool two_are_usable = gain_of_two(one, two) >= kUsable;
  if (!two_are_usable)
    fmt::print("* 2 threads multiply less than {} times as fast as 1: these rows are not used\n", kUsable);
  fmt::print("\n{:5} {:>5} x {:>5} x {:>5} {:2} {:>7}  {:>9} {:>9} {:>7} {:>7}\n", "", "m", "n", "k", "",
             "threads", "Gflop/s", "oneDNN", "ratio", "target");
  int counted = 0, reached = 0;
  for (kernels::Team* team : {&one, &two})
    for (const auto dtype : {DType::f32, DType::bf16})
      for (const Size& z : kSizes) {
        const bool usable = team == &one || two_are_usable, has_target = &z == &kSizes[0];
        const Ratio r = measured(z, dtype, *team);
        print_row(z, dtype, team->size(), usable ? ' ' : '*', r, has_target);
        if (!usable || !has_target) continue;
        ++counted;
        if (r.speed >= kTarget) ++reached;
      }
  fmt::print("\n{} of {} at or above their targets\n", reached, counted);
}

}  // namespace
}  // namespace pleat::bench

int main() {
  pleat::bench::run();
}
