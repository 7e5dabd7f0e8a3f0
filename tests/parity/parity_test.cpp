// SPDX-License-Identifier: Apache-2.0
// `pleat forward` against transformers: logits, loss and the gradient of every parameter of tiny random
// models, from a Hugging Face directory and through the command line, as a user has it.
#include <gtest/gtest.h>

#include "fixture.h"

namespace pleat::parity {
namespace {

std::string name_of(const testing::TestParamInfo<Fixture>& info) {
  return info.param.name;
}

class Single : public testing::TestWithParam<Fixture> {};
TEST_P(Single, AgreesWithTransformers) {
  const Fixture& fixture = GetParam();
  expect_equal(forward(fixture, "config.json", "--dtype fp32"),
               read_tensors(fixture.folder / "expected.safetensors"), single_bounds(fixture.noise));
}
INSTANTIATE_TEST_SUITE_P(Cases, Single, testing::ValuesIn(fixtures()), name_of);

class Double : public testing::TestWithParam<Fixture> {};
TEST_P(Double, AgreesWithTransformers) {
  const Fixture& fixture = GetParam();
  const Tensors expected = read_tensors(fixture.folder / "expected64.safetensors");
  expect_equal(forward(fixture, "config.json", "--dtype fp64"), expected, double_bounds(expected));
}
INSTANTIATE_TEST_SUITE_P(Cases, Double, testing::ValuesIn(fixtures("expected64.safetensors")), name_of);

class OldSpelling : public testing::TestWithParam<Fixture> {};
TEST_P(OldSpelling, MeansTheSameModel) {
  const Fixture& fixture = GetParam();
  expect_equal(forward(fixture, "config.transformers4.json", "--dtype fp32"),
               read_tensors(fixture.folder / "expected.safetensors"), single_bounds(fixture.noise));
}
INSTANTIATE_TEST_SUITE_P(Cases, OldSpelling, testing::ValuesIn(fixtures("config.transformers4.json")),
                         name_of);

struct Split {
  const char* name;
  const char* fixture;
  const char* layout;
};
void PrintTo(const Split& split, std::ostream* out) {
  *out << split.fixture << " " << split.layout;
}

std::string split_name(const testing::TestParamInfo<Split>& info) {
  return info.param.name;
}

class Layouts : public testing::TestWithParam<Split> {};
TEST_P(Layouts, AgreeWithTransformers) {
  const Fixture fixture = fixture_named(GetParam().fixture);
  expect_equal(forward(fixture, "config.json", std::string("--dtype fp32 ") + GetParam().layout),
               read_tensors(fixture.folder / "expected.safetensors"), single_bounds(fixture.noise));
}
INSTANTIATE_TEST_SUITE_P(Cases, Layouts,
                         testing::Values(Split{"dense_pp2", "llama_tied", "layout.pp=2"},
                                         Split{"dense_dp2", "qwen3_window", "layout.dp=2"},
                                         Split{"moe_dp4_ep2", "mixtral_plain", "layout.dp=4 layout.ep=2"},
                                         Split{"moe_pp2_dp2_ep2", "mixtral_reference",
                                               "layout.pp=2 layout.dp=2 layout.ep=2"},
                                         Split{"moe_mixed_pp4", "qwen3_moe_mixed", "layout.pp=4"}),
                         split_name);

}  // namespace
}  // namespace pleat::parity
