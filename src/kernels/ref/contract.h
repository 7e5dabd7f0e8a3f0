// SPDX-License-Identifier: Apache-2.0
// What a signature of an operation must look like, in one line of text, and the check of it.
//
//   operands     "x:A[T,..,N] w:X[N] counts:i[P,E]? -> y:A[T,..,N] +dw:X[N]"
//     dtypes     A f32, bf16 or f64, one for all; X the exact one (f64 where A is f64, else f32); B either of
//     the two;
//                F any floating one; i i32; s f32; d f64; * any
//     dims       letters are equal wherever they occur; 2F and pL are products; .. any number of dims, the
//     same everywhere; * anything ?          may be left out         +  may accumulate (f32 and f64 only)
//   attributes   "top_k=K eps:number tile:positive?" and relations of dims: "T%S K<=E"
//     kinds      number, positive (integers >= 1), count (>= 0), flag (0 or 1); ? may be left out
#pragma once
#include <string_view>

#include "graph/signature.h"

namespace pleat::kernels::ref {

struct Contract {
  std::string_view operands;
  std::string_view attributes;
};

/// Throws CheckError that names the operation, the operand or attribute, what it is and what it must be.
void check(const graph::Signature& signature, const Contract& contract);

}  // namespace pleat::kernels::ref
