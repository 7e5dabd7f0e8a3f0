// SPDX-License-Identifier: Apache-2.0
// Row kernels against a copy of as many bytes by as many threads, 1 and 2 of them. `streams [NAME]` measures
// only the operations whose names contain NAME. bench/README.md says how to read it.
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "machine.h"
#include "rounds.h"
#include "stream_cases.h"

namespace pleat::bench {
namespace {

using base::DType;
using kernels::Team;

constexpr int kThreads[] = {1, 2};
constexpr double kUsable = 1.8;  // of the copy's speed on 2 threads: below, the second is not a whole one

void copy_by(Team& team, const Memory& from, const Memory& to, int64_t bytes) {
  constexpr int64_t kPiece = 1 << 16;
  team.run((bytes + kPiece - 1) / kPiece, [&](int64_t i, int) {
    std::memcpy(to.data() + i * kPiece, from.data() + i * kPiece,
                static_cast<size_t>(std::min(kPiece, bytes - i * kPiece)));
  });
}

double copy_speed_of_two(Team& one, Team& two) {
  constexpr int64_t kBytes = 128 << 20;
  const Memory from(kBytes), to(kBytes);
  const Ratio r = in_turns([&] { copy_by(two, from, to, kBytes); }, [&] { copy_by(one, from, to, kBytes); });
  fmt::print(
      "copy: {:.1f} GB/s by 1 thread, {:.1f} by 2; peak(2)/peak(1) = {:.2f}, median of rounds {:.2f}\n",
      2e-9 * kBytes / r.other, 2e-9 * kBytes / r.ours, r.other / r.ours, r.speed);
  return r.other / r.ours;
}

class Table {
 public:
  explicit Table(bool two_are_usable) : usable_{true, two_are_usable} {
    if (!two_are_usable)
      fmt::print("* 2 threads copy less than {} times as fast as 1: these rows are not used\n", kUsable);
    fmt::print("\n{:20} {:4} {:>7} {:>8} {:>8} {:>8} {:>7} {:>7}\n", "operation", "", "threads", "MB", "GB/s",
               "copy", "ratio", "target");
  }

  void measure(const StreamCase& test_case, Team& team) {
    const BoundKernel ours(test_case.signature, team);
    prepare(test_case, ours);
    const int64_t bytes = moved_bytes(test_case, ours);
    const Memory from(bytes / 2), to(bytes / 2);
    const Ratio r = in_turns([&] { ours.run(); }, [&] { copy_by(team, from, to, bytes / 2); });
    const bool usable = usable_[team.size() - 1];
    print(test_case, team.size(), usable ? ' ' : '*', static_cast<double>(bytes), r);
    if (test_case.target == 0 || !usable) return;
    ++counted_;
    if (r.speed >= test_case.target) ++reached_;
  }

  void print_count() const { fmt::print("\n{} of {} at or above their targets\n", reached_, counted_); }

 private:
  static void print(const StreamCase& test_case, int threads, char mark, double bytes, const Ratio& r) {
    fmt::print("{:20} {:4} {:6}{} {:8.1f} ", graph::name_of(test_case.signature.op),
               base::name_of(test_case.signature.reads[0].dtype), threads, mark, 1e-6 * bytes);
    if (test_case.flops > 0)
      fmt::print("{:>35}\n", fmt::format("{:.1f} GFlop/s", 1e-9 * test_case.flops / r.ours));
    else if (test_case.target == 0)
      fmt::print("{:8.2f} {:8.2f} {:7.2f}\n", 1e-9 * bytes / r.ours, 1e-9 * bytes / r.other, r.speed);
    else
      fmt::print("{:8.2f} {:8.2f} {:7.2f} {:7.2f}{}\n", 1e-9 * bytes / r.ours, 1e-9 * bytes / r.other,
                 r.speed, test_case.target, r.speed < test_case.target ? "  below" : "");
    std::fflush(stdout);
  }

  bool usable_[2];
  int counted_ = 0, reached_ = 0;
};

void run(std::string_view name) {
  print_machine();
  Team one(kThreads[0]), two(kThreads[1]);
  Table table(copy_speed_of_two(one, two) >= kUsable);
  for (Team* team : {&one, &two})
    for (const auto& cases : {stream_cases(DType::f32), stream_cases(DType::bf16), stream_cases_of_numbers()})
      for (const StreamCase& test_case : cases)
        if (graph::name_of(test_case.signature.op).find(name) != std::string_view::npos)
          table.measure(test_case, *team);
  table.print_count();
}

}  // namespace
}  // namespace pleat::bench

int main(int count, char** arguments) {
  pleat::bench::run(count > 1 ? arguments[1] : "");
}
