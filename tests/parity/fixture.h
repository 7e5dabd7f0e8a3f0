// SPDX-License-Identifier: Apache-2.0
// One parity fixture: rebuilds its model directory, has `pleat forward` run it, and says how far the answer
// lies from that of transformers. Bounds come from the noise that fp32 alone causes in transformers
// (manifest.json).
#pragma once
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "base/shape.h"

namespace pleat::parity {

struct Tensor {
  base::Shape shape;
  std::vector<double> values;
};
using Tensors = std::map<std::string, Tensor>;

/// How far fp32 alone moves transformers' own answer.
struct Noise {
  double logits = 0;    // largest absolute difference
  double gradient = 0;  // largest relative L2 of a parameter's gradient
};

struct Fixture {
  std::string name;
  std::filesystem::path folder;
  Noise noise;
  bool has(const std::string& file) const { return std::filesystem::exists(folder / file); }
};

inline void PrintTo(const Fixture& fixture, std::ostream* out) {
  *out << fixture.name;
}

/// Every case of the manifest; of those only the ones that have `file`, when it is given.
std::vector<Fixture> fixtures(const std::string& file = {});
Fixture fixture_named(const std::string& name);

/// All tensors of a safetensors file, as doubles.
Tensors read_tensors(const std::filesystem::path& path);

/// A folder that lives as long as this value.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& name);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Writes `config` as config.json and the seeded weights that `expected` has gradients of.
void write_model(const Tensors& expected, const std::filesystem::path& config,
                 const std::filesystem::path& folder);

/// What `pleat forward --gradients` answers with `options` appended; fails the test when it does not end with
/// 0.
Tensors forward(const Fixture& fixture, const std::string& config_file, const std::string& options);

struct Bounds {
  double logits = 0;             // absolute, per element
  double logits_relative = 0;    // of an element's magnitude, added
  double loss = 0;               // absolute
  double gradient = 0;           // relative L2, per tensor
  double gradient_absolute = 0;  // L2, for gradients that are zero
};

/// For an fp32 engine against the fp32 run.
Bounds single_bounds(const Noise& noise);
/// For a double engine against the double run, both stored in fp32.
Bounds double_bounds(const Tensors& expected);

/// Names, shapes and numbers; a failure names the tensor, the coordinate, both values, the bound and the
/// ratio.
void expect_equal(const Tensors& actual, const Tensors& expected, const Bounds& bounds);

}  // namespace pleat::parity
