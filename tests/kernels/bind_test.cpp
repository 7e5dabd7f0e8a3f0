// SPDX-License-Identifier: Apache-2.0
// What bind() refuses, whichever kernel is named: signatures that are none of their operation.
#include <gtest/gtest.h>

#include "cases.h"
#include "kernels/ref/ref.h"
#include "tensors.h"

namespace pleat::kernels::testing {
namespace {

using base::DType;
using graph::Op;
using graph::OperandType;
using graph::Signature;

std::string refusal(const Signature& signature, std::string_view kernel = "ref") {
  try {
    kernels::bind(kernel, signature, 0, 1);
  } catch (const base::CheckError& error) {
    return error.what();
  }
  return "bound";
}

Signature norm() {
  return {Op::rms_norm,
          {{"eps", 1e-5}},
          {CaseList::f32({4, 2, 8}), CaseList::f32({8})},
          {CaseList::f32({4, 2, 8}), CaseList::f32({4, 2})},
          0};
}

TEST(Bind, NamesTheOperandTheSizeAndTheContract) {
  EXPECT_EQ(refusal(norm()), "bound");
  Signature s = norm();
  s.reads[1] = CaseList::f32({7});
  EXPECT_EQ(
      refusal(s),
      "rms_norm: 'w' is 7, but N is 8 (the operation is x:A[T,..,N] w:X[N] -> y:A[T,..,N] rstd:X[T,..])");
  s = norm();
  s.reads[1] = CaseList::f64({8});
  EXPECT_TRUE(refusal(s).starts_with("rms_norm: 'w' is f64, must be f32")) << refusal(s);
  s = norm();
  s.writes[1] = CaseList::f32({4, 3});
  EXPECT_TRUE(refusal(s).starts_with("rms_norm: 'rstd' is 4x3, but .. is 2")) << refusal(s);
  s = norm();
  s.attributes = {};
  EXPECT_TRUE(refusal(s).starts_with("rms_norm: attribute 'eps' is missing")) << refusal(s);
  s = norm();
  s.accumulates = 1;
  EXPECT_TRUE(refusal(s).starts_with("rms_norm: result 'y' cannot accumulate")) << refusal(s);
  s = norm();
  s.reads[0].row_stride = 15;
  EXPECT_TRUE(refusal(s).starts_with("rms_norm: 'x' is 4x2x8 with rows 15 elements apart")) << refusal(s);
}

TEST(Bind, ChecksRelationsOfSizesAndAttributes) {
  const auto q = CaseList::f32({6, 4, 2});
  Signature s{Op::attention,
              {{"sequence", int64_t{3}}, {"window", int64_t{0}}, {"scale", 1.0}},
              {q, CaseList::f32({6, 3, 2}), CaseList::f32({6, 3, 2}), CaseList::i32({6})},
              {q, CaseList::f32({6, 4})},
              0};
  EXPECT_TRUE(refusal(s).starts_with("attention: H = 4 is no multiple of G = 3")) << refusal(s);
  s.attributes.set("sequence", int64_t{4});
  EXPECT_TRUE(refusal(s).starts_with("attention: T = 6 is no multiple of S = 4")) << refusal(s);
  s.attributes.set("window", int64_t{-1});
  EXPECT_TRUE(refusal(s).starts_with("attention: attribute 'window' is -1, must be 0 or more")) << refusal(s);

  const auto x = CaseList::f32({4, 5});
  Signature product{Op::matmul,
                    {{"transpose_a", int64_t{0}}, {"transpose_b", int64_t{1}}},
                    {x, CaseList::f32({5, 3})},
                    {CaseList::f32({4, 3})},
                    0};
  EXPECT_EQ(refusal(product), "matmul: 4x5 times 5x3 transposed does not give 4x3");
  product.attributes.set("transpose_b", int64_t{2});
  EXPECT_TRUE(refusal(product).starts_with("matmul: attribute 'transpose_b' is 2, must be 0 or 1"))
      << refusal(product);

  const Signature swiglu{
      Op::swiglu, {}, {CaseList::f32({4, 6}), CaseList::i32({1, 2})}, {CaseList::f32({4, 3})}, 0};
  EXPECT_EQ(refusal(swiglu), "swiglu: attribute 'tile' is missing, which counts need");
}

TEST(Bind, KnowsNoKernelForViewsCommunicationAndUnknownNames) {
  EXPECT_EQ(refusal({Op::reshape, {}, {}, {}, 0}), "reshape: no kernel computes it; it is a view");
  EXPECT_TRUE(refusal({Op::all_reduce, {}, {}, {}, 0}).starts_with("all_reduce: no kernel computes it"));
  EXPECT_EQ(refusal(norm(), "gpu.fast"),
            "rms_norm: unknown kernel 'gpu.fast': choose ref or a name of the catalogue, cpu.*");
}

TEST(Bind, RefusesEveryCaseWithAMissingAWrongOrAnExtraOperand) {
  for (const Case& test_case : cases()) {
    const Signature& good = test_case.signature;
    SCOPED_TRACE(test_case.name);
    EXPECT_EQ(refusal(good), "bound");
    const auto expect_refused = [&](const Signature& s, const char* how) {
      EXPECT_TRUE(refusal(s).starts_with(std::string(name_of(s.op)) + ": ")) << how << ": " << refusal(s);
    };
    for (auto side : {&Signature::reads, &Signature::writes}) {
      Signature extra = good;
      (extra.*side).push_back(CaseList::f64({1, 1, 1, 1}));
      expect_refused(extra, "extra");
      if ((good.*side).empty()) continue;
      Signature missing = good;
      (missing.*side).erase((missing.*side).begin());
      expect_refused(missing, "missing");
      for (size_t i = 0; i < (good.*side).size() && good.op != Op::zero; ++i) {
        Signature wrong = good;
        (wrong.*side)[i] = OperandType::dense(DType::i64, (good.*side)[i].shape);
        expect_refused(wrong, "dtype");
        wrong.*side = good.*side;
        (wrong.*side)[i] = OperandType::dense((good.*side)[i].dtype, {2, 2, 2, 2});
        if ((good.*side)[i].shape.dims() < 4) expect_refused(wrong, "dims");
      }
    }
  }
}

}  // namespace
}  // namespace pleat::kernels::testing
