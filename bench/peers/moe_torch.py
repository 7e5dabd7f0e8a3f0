#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One training step of a mixture-of-experts model in PyTorch, as fast as PyTorch does it on a CPU: the peer of
configs/bench/moe-8l.yaml. Prints one JSON line. bench/peers/moe_step starts it with the right environment.

8 layers x 512, 8 heads of 64, RMS norm, RoPE, 16 experts top-2 of width 1024 (SwiGLU), vocabulary 32,000, untied; 4 x
256 tokens; cross entropy + 0.01 x load balancing; AdamW. Which form of the experts is fastest depends on the processor: grouped (rows sorted by expert,
grouped_mm), looped (one product per expert), padded (every expert as many rows as the busiest, bmm)."""
import argparse
import json
import os
import resource
import statistics
import time

LAYERS, WIDTH, HEADS, EXPERTS, TOP, HIDDEN, VOCABULARY = 8, 512, 8, 16, 2, 1024, 32000
HEAD = WIDTH // HEADS
BALANCE = 0.01


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--sequence", type=int, default=256)
    parser.add_argument("--steps", type=int, default=7, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--experts", choices=["grouped", "looped", "padded"], default="grouped")
    parser.add_argument("--plain", action="store_true", help="as installed: AdamW without its fused kernel")
    parser.add_argument("--peak", action="store_true", help="only measure products on 1 and on --threads threads")
    return parser.parse_args()


ARGUMENTS = parse()
os.environ["OMP_NUM_THREADS"] = str(ARGUMENTS.threads)  # before torch starts its pool

import torch
from torch import nn
from torch.nn import functional as F


def parameter(*shape):
    return nn.Parameter(torch.randn(shape) * 0.02)


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):  # the fused kernel, in fp32 like its statistics
        return F.rms_norm(x.float(), (WIDTH,), self.scale, 1e-5)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = parameter(3 * WIDTH, WIDTH), parameter(WIDTH, WIDTH)

    def forward(self, x, cos, sin):
        samples, sequence, _ = x.shape
        qkv = F.linear(x, self.qkv).view(samples, sequence, 3, HEADS, HEAD).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        q, k = rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return F.linear(y.transpose(1, 2).reshape(samples, sequence, WIDTH), self.out)


def rotate(x, cos, sin):
    low, high = x.chunk(2, -1)
    return x * cos + torch.cat((-high, low), -1) * sin


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = parameter(EXPERTS, WIDTH)
        self.gate_up, self.down = parameter(EXPERTS, WIDTH, 2 * HIDDEN), parameter(EXPERTS, HIDDEN, WIDTH)

    def forward(self, x):
        rows = x.reshape(-1, WIDTH)
        with torch.autocast("cpu", enabled=False):
            logits = F.linear(rows, self.router)
        weights, chosen = logits.softmax(-1).topk(TOP, -1)
        weights = weights / weights.sum(-1, keepdim=True)
        compute = torch.bfloat16 if torch.is_autocast_enabled("cpu") else rows.dtype
        mix = dict(grouped=self.grouped, looped=self.looped, padded=self.padded)[ARGUMENTS.experts]
        return mix(rows.to(compute), weights.to(compute), chosen.view(-1)).view(x.shape), logits

    def grouped(self, rows, weights, chosen):
        order = chosen.argsort(stable=True)
        ends = torch.bincount(chosen, minlength=EXPERTS).cumsum(0).to(torch.int32)
        source = order // TOP
        gate, up = F.grouped_mm(rows[source], self.gate_up.to(rows.dtype), offs=ends).chunk(2, -1)
        out = F.grouped_mm(F.silu(gate) * up, self.down.to(rows.dtype), offs=ends)
        return torch.zeros_like(rows).index_add(0, source, out * weights.view(-1)[order, None])

    def looped(self, rows, weights, chosen):
        order = chosen.argsort(stable=True)
        counts = torch.bincount(chosen, minlength=EXPERTS).tolist()
        source = order // TOP
        outs = []
        for expert, part in enumerate(rows[source].split(counts)):
            gate, up = (part @ self.gate_up[expert]).chunk(2, -1)
            outs.append((F.silu(gate) * up) @ self.down[expert])
        return torch.zeros_like(rows).index_add(0, source, torch.cat(outs) * weights.view(-1)[order, None])

    def padded(self, rows, weights, chosen):
        order = chosen.argsort(stable=True)
        counts = torch.bincount(chosen, minlength=EXPERTS)
        expert, source = chosen[order], order // TOP
        place = torch.arange(len(order)) - (counts.cumsum(0) - counts)[expert]
        slot = expert * counts.max() + place
        full = rows.new_zeros(EXPERTS * int(counts.max()), WIDTH).index_copy(0, slot, rows[source])
        gate, up = torch.bmm(full.view(EXPERTS, -1, WIDTH), self.gate_up.to(rows.dtype)).chunk(2, -1)
        out = torch.bmm(F.silu(gate) * up, self.down.to(rows.dtype)).view(-1, WIDTH)[slot]
        return torch.zeros_like(rows).index_add(0, source, out * weights.view(-1)[order, None])


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.attention, self.experts = Norm(), Norm(), Attention(), Experts()

    def forward(self, x, cos, sin):
        x = x + self.attention(self.first(x), cos, sin)
        y, logits = self.experts(self.second(x))
        return x + y, logits


class Model(nn.Module):
    def __init__(self, sequence):
        super().__init__()
        self.embedding, self.head = parameter(VOCABULARY, WIDTH), parameter(VOCABULARY, WIDTH)
        self.layers, self.norm = nn.ModuleList(Layer() for _ in range(LAYERS)), Norm()
        frequency = 1e4 ** (-torch.arange(0, HEAD, 2) / HEAD)
        angle = torch.outer(torch.arange(sequence), frequency).repeat(1, 2)
        self.cos, self.sin = angle.cos(), angle.sin()

    def loss(self, tokens, targets):
        x, routers = F.embedding(tokens, self.embedding), []
        for layer in self.layers:
            x, logits = layer(x, self.cos, self.sin)
            routers.append(logits)
        logits = F.linear(self.norm(x), self.head)
        entropy = F.cross_entropy(logits.view(-1, VOCABULARY).float(), targets.reshape(-1))
        return entropy + BALANCE * balance(torch.cat(routers))


def balance(logits):
    shares = logits.float().softmax(-1)
    load = F.one_hot(shares.topk(TOP, -1).indices, EXPERTS).sum(1).float().mean(0)
    return EXPERTS * (load * shares.mean(0)).sum()


def train():
    torch.manual_seed(1)
    model = Model(ARGUMENTS.sequence)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1,
                                  fused=not ARGUMENTS.plain)
    seconds = []
    for _ in range(ARGUMENTS.warmup + ARGUMENTS.steps):
        text = torch.randint(0, VOCABULARY, (ARGUMENTS.samples, ARGUMENTS.sequence + 1))
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=ARGUMENTS.precision == "bf16"):
            loss = model.loss(text[:, :-1], text[:, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - start)
    timed = seconds[ARGUMENTS.warmup:]
    median = statistics.median(timed)
    return dict(
        name="moe-8l", precision=ARGUMENTS.precision, plain=ARGUMENTS.plain, experts=ARGUMENTS.experts, threads=ARGUMENTS.threads,
        median_ms=median * 1e3, least_ms=min(timed) * 1e3, most_ms=max(timed) * 1e3, steps=len(timed),
        tokens_per_s=ARGUMENTS.samples * ARGUMENTS.sequence / median, loss=loss.item(),
        parameters=sum(p.numel() for p in model.parameters()),
        resident_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, torch=torch.__version__)


def peak(threads):
    """GFLOP/s of the best of several square products: what this machine gives just now."""
    torch.set_num_threads(threads)
    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    best = 1e30
    for _ in range(9):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 1536**3 / best / 1e9


if __name__ == "__main__":
    if ARGUMENTS.peak:
        print(json.dumps(dict(threads=ARGUMENTS.threads, one=peak(1), all=peak(ARGUMENTS.threads))))
    else:
        print(json.dumps(train()))
