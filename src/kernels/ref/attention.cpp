// SPDX-License-Identifier: Apache-2.0
// Causal attention within samples of S tokens and within a document; kv head g = h / (H/G).
// Forward:  s[i,j] = scale q[i,h].k[j,g], lse = log sum over seen j of exp s, p = exp(s - lse), o = sum over
// j of p v[j,g]. Backward: dp = do.v[j,g], ds = p (dp - do.o) scale, dq = sum over j of ds k, dk = sum over
// i, h of ds q, dv = of p do.
#include <algorithm>
#include <cmath>

#include "kernels/ref/kernel.h"
#include "kernels/ref/operations.h"

namespace pleat::kernels::ref {

namespace {

/// Which tokens j token i sees, and the heads that share one of k and v.
struct Geometry {
  int64_t S, window, N, group;  // group: query heads per kv head
  double scale;

  explicit Geometry(const Signature& signature)
      : S(signature.attributes.integer("sequence")),
        window(signature.attributes.integer("window")),
        N(signature.reads[0].shape[2]),
        group(signature.reads[0].shape[1] / signature.reads[1].shape[1]),
        scale(signature.attributes.number("scale")) {}

  int64_t first_seen(int64_t i) const {
    const int64_t sample = i / S * S;
    return window == 0 ? sample : std::max(sample, i - window + 1);
  }
  bool sees(const View& documents, int64_t i, int64_t j) const {
    return j <= i && j >= first_seen(i) && documents.integer(i) == documents.integer(j);
  }
};

/// Head a of x at token i times head b of y at token j.
double dot(const View& x, int64_t i, int64_t a, const View& y, int64_t j, int64_t b, int64_t width) {
  double sum = 0;
  for (int64_t n = 0; n < width; ++n) sum += x.get(i, a * width + n) * y.get(j, b * width + n);
  return sum;
}

}  // namespace

std::unique_ptr<Kernel> attention(const Signature& signature) {
  const Geometry geometry(signature);
  const auto body = [geometry](const Operands& operands) {
    const View &q = operands.in[0], &k = operands.in[1], &v = operands.in[2], &documents = operands.in[3];
    const Result &o = operands.out[0], &lse = operands.out[1];
    const int64_t N = geometry.N;
    const std::span<double> p = operands.scratch;
    for (int64_t i = 0; i < q.rows(); ++i)
      for (int64_t h = 0; h < q.columns() / N; ++h) {
        const int64_t g = h / geometry.group, begin = geometry.first_seen(i);
        double largest = -HUGE_VAL, sum = 0;
        for (int64_t j = begin; j <= i; ++j) {
          const bool seen = geometry.sees(documents, i, j);
          p[j - begin] = seen ? geometry.scale * dot(q, i, h, k, j, g, N) : -HUGE_VAL;
          largest = std::fmax(largest, p[j - begin]);
        }
        for (int64_t j = begin; j <= i; ++j) sum += p[j - begin] = std::exp(p[j - begin] - largest);
        lse.put(i, h, largest + std::log(sum));
        for (int64_t n = 0; n < N; ++n) {
          double mixed = 0;
          for (int64_t j = begin; j <= i; ++j) mixed += p[j - begin] / sum * v.get(j, g * N + n);
          o.put(i, h * N + n, mixed);
        }
      }
  };
  return kernel(signature, body, geometry.S);
}

std::unique_ptr<Kernel> attention_grad(const Signature& signature) {
  const Geometry geometry(signature);
  const auto body = [geometry](const Operands& operands) {
    const View &q = operands.in[0], &k = operands.in[1], &v = operands.in[2], &documents = operands.in[3];
    const View &o = operands.in[4], &lse = operands.in[5], &dout = operands.in[6];
    const Result &dq = operands.out[0], &dk = operands.out[1], &dv = operands.out[2];
    const int64_t T = q.rows(), N = geometry.N, H = q.columns() / N, G = k.columns() / N;
    const auto probability = [&](int64_t i, int64_t h, int64_t j, int64_t g) {
      return std::exp(geometry.scale * dot(q, i, h, k, j, g, N) - lse.get(i, h));
    };
    const auto dscore = [&](int64_t i, int64_t h, int64_t j, int64_t g) {
      const double dp = dot(dout, i, h, v, j, g, N) - dot(dout, i, h, o, i, h, N);
      return probability(i, h, j, g) * dp * geometry.scale;
    };
    const std::span<double> a = operands.scratch.subspan(0, N), b = operands.scratch.subspan(N);
    for (int64_t i = 0; i < T; ++i)
      for (int64_t h = 0; h < H; ++h) {
        std::fill(a.begin(), a.end(), 0.0);
        const int64_t g = h / geometry.group;
        for (int64_t j = geometry.first_seen(i); j <= i; ++j) {
          if (!geometry.sees(documents, i, j)) continue;
          const double ds = dscore(i, h, j, g);
          for (int64_t n = 0; n < N; ++n) a[n] += ds * k.get(j, g * N + n);
        }
        for (int64_t n = 0; n < N; ++n) dq.put(i, h * N + n, a[n]);
      }
    for (int64_t j = 0; j < T; ++j)
      for (int64_t g = 0; g < G; ++g) {
        std::fill(operands.scratch.begin(), operands.scratch.end(), 0.0);
        for (int64_t i = j; i < (j / geometry.S + 1) * geometry.S; ++i) {
          if (!geometry.sees(documents, i, j)) continue;
          for (int64_t h = g * geometry.group; h < (g + 1) * geometry.group; ++h) {
            const double ds = dscore(i, h, j, g), p = probability(i, h, j, g);
            for (int64_t n = 0; n < N; ++n) a[n] += ds * q.get(i, h * N + n);
            for (int64_t n = 0; n < N; ++n) b[n] += p * dout.get(i, h * N + n);
          }
        }
        for (int64_t n = 0; n < N; ++n) dk.put(j, g * N + n, a[n]);
        for (int64_t n = 0; n < N; ++n) dv.put(j, g * N + n, b[n]);
      }
  };
  return kernel(signature, body, 2 * geometry.N);
}

}  // namespace pleat::kernels::ref
