// SPDX-License-Identifier: Apache-2.0
#include "kernels/ref/contract.h"

#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

namespace pleat::kernels::ref {

namespace {

using base::CheckError;
using base::DType;
using base::fail;
using graph::OperandType;
using graph::Signature;

/// The parts of `text` between separators.
std::vector<std::string_view> words_of(std::string_view text, char separator = ' ') {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  const bool found = text.ends_with(suffix);
  if (found) text.remove_suffix(suffix.size());
  return found;
}

class Matcher {
 public:
  Matcher(const Signature& signature, const Contract& contract) : signature_(signature), contract_(contract) {
    sizes_.fill(-1);
  }

  void match() {
    for (std::string_view item : words_of(contract_.attributes)) match_attribute(item);
    const size_t arrow = contract_.operands.find("->");
    match_side(words_of(contract_.operands.substr(0, arrow)), signature_.reads, false);
    match_side(words_of(contract_.operands.substr(arrow + 2)), signature_.writes, true);
    for (std::string_view item : words_of(contract_.attributes)) match_relation(item);
  }

 private:
  template <class... Arguments>
  [[noreturn]] void refuse(fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
    fail<CheckError>("{}: {} (the operation is {})", name_of(signature_.op),
                     fmt::format(text, std::forward<Arguments>(arguments)...), contract_.operands);
  }
  int64_t& size_of(char letter) { return sizes_[static_cast<size_t>(letter)]; }

  void match_attribute(std::string_view item) {
    const size_t mark = item.find_first_of("=:");
    if (mark == std::string_view::npos || item.find("<=") != std::string_view::npos) return;  // a relation
    const std::string_view name = item.substr(0, mark);
    std::string_view kind = item.substr(mark + 1);
    const bool optional = take_suffix(kind, "?");
    if (!signature_.attributes.has(name)) {
      if (optional) return;
      refuse("attribute '{}' is missing", name);
    }
    if (kind == "number") {
      signature_.attributes.number(name);
      return;
    }
    const int64_t value = signature_.attributes.integer(name);
    const bool size = item[mark] == '=';
    const int64_t least = size || kind == "positive" ? 1 : 0;
    const int64_t most = kind == "flag" ? 1 : INT64_MAX;
    if (value < least || value > most)
      refuse("attribute '{}' is {}, must be {}", name, value,
             most == 1    ? "0 or 1"
             : least == 1 ? "1 or more"
                          : "0 or more");
    if (size) size_of(kind[0]) = value;
  }

  void match_relation(std::string_view item) {
    if (item.size() == 3 && item[1] == '%') {
      const int64_t whole = size_of(item[0]), part = size_of(item[2]);
      if (part < 1 || whole % part != 0)
        refuse("{} = {} is no multiple of {} = {}", item[0], whole, item[2], part);
    } else if (item.find("<=") == 1) {
      if (size_of(item[0]) > size_of(item[3]))
        refuse("{} = {} is more than {} = {}", item[0], size_of(item[0]), item[3], size_of(item[3]));
    }
  }

  void match_side(const std::vector<std::string_view>& patterns, const std::vector<OperandType>& operands,
                  bool results) {
    const char* what = results ? "results" : "operands";
    size_t given = 0;
    for (std::string_view pattern : patterns) {
      const bool optional = take_suffix(pattern, "?");
      const bool accumulates = pattern.starts_with('+');
      if (accumulates) pattern.remove_prefix(1);
      if (given == operands.size()) {
        if (optional) continue;
        refuse("{} {} given, '{}' is missing", operands.size(), what, pattern.substr(0, pattern.find(':')));
      }
      match_operand(pattern, operands[given]);
      if (results) match_accumulation(pattern, given, accumulates);
      ++given;
    }
    if (given != operands.size()) refuse("{} {} given, at most {} expected", operands.size(), what, given);
  }

  void match_accumulation(std::string_view pattern, size_t result, bool allowed) const {
    if ((signature_.accumulates >> result & 1) == 0) return;
    const std::string_view name = pattern.substr(0, pattern.find(':'));
    const DType dtype = signature_.writes[result].dtype;
    if (!allowed) refuse("result '{}' cannot accumulate", name);
    if (dtype != DType::f32 && dtype != DType::f64)
      refuse("result '{}' accumulates in {}, must be f32 or f64", name, name_of(dtype));
  }

  void match_operand(std::string_view pattern, const OperandType& operand) {
    const size_t colon = pattern.find(':');
    const std::string_view name = pattern.substr(0, colon);
    match_dtype(name, pattern[colon + 1], operand.dtype);
    std::string_view dims = pattern.substr(colon + 3);
    take_suffix(dims, "]");
    match_dims(name, dims, operand.shape);
    if (operand.row_stride < operand.shape.row_elements() && operand.shape.dims() > 0 && operand.shape[0] > 1)
      refuse("'{}' is {} with rows {} elements apart: they overlap", name, to_string(operand.shape),
             operand.row_stride);
  }

  void match_dtype(std::string_view name, char kind, DType dtype) {
    const bool exact = dtype == DType::f32 || dtype == DType::f64;
    std::string expected;
    switch (kind) {
      case 'A':
        if (!activation_ && is_floating(dtype)) {
          activation_ = dtype;
          exact_ = dtype == DType::f64 ? DType::f64 : DType::f32;
        }
        if (activation_ == dtype) return;
        expected = activation_ ? name_of(*activation_) : "f32, bf16 or f64";
        break;
      case 'X':
        if (!exact_ && exact) exact_ = dtype;
        if (exact_ == dtype) return;
        expected = exact_ ? name_of(*exact_) : "f32 or f64";
        break;
      case 'B':
        if (dtype == activation_ || dtype == exact_) return;
        expected = fmt::format("{} or {}", name_of(*activation_), name_of(*exact_));
        break;
      case '*':
        return;
      case 'F':
        if (is_floating(dtype)) return;
        expected = "f32, bf16 or f64";
        break;
      default: {
        const DType fixed = kind == 'i' ? DType::i32 : kind == 's' ? DType::f32 : DType::f64;
        if (dtype == fixed) return;
        expected = name_of(fixed);
      }
    }
    refuse("'{}' is {}, must be {}", name, name_of(dtype), expected);
  }

  void match_dims(std::string_view name, std::string_view dims, const base::Shape& shape) {
    if (dims == "*") return;
    const auto terms = words_of(dims, ',');
    int fixed = 0;
    for (std::string_view term : terms) fixed += term != ".." ? 1 : 0;
    const int loose = shape.dims() - fixed;
    const bool ragged = fixed != static_cast<int>(terms.size());
    if (loose < 0 || (loose > 0 && !ragged)) refuse("'{}' is {}, must be [{}]", name, to_string(shape), dims);
    int dim = 0;
    for (std::string_view term : terms) {
      if (term != "..") {
        match_size(name, term, shape, dim++);
        continue;
      }
      const base::Shape rest(std::span(shape.begin() + dim, static_cast<size_t>(loose)));
      if (rest_ && *rest_ != rest)
        refuse("'{}' is {}, but .. is {}", name, to_string(shape), to_string(*rest_));
      rest_ = rest;
      dim += loose;
    }
  }

  /// One term: a number, a letter, or a product with at most one letter not known yet.
  void match_size(std::string_view name, std::string_view term, const base::Shape& shape, int dim) {
    int64_t known = 1;
    char unknown = 0;
    for (char letter : term) {
      if (std::isdigit(static_cast<unsigned char>(letter)) != 0) {
        known *= letter - '0';
      } else if (size_of(letter) >= 0) {
        known *= size_of(letter);
      } else {
        unknown = letter;
      }
    }
    const int64_t size = shape[dim];
    if (unknown == 0 && size != known)
      refuse("'{}' is {}, but {} is {}", name, to_string(shape), term, known);
    if (unknown == 0) return;
    if (known == 0 || size % known != 0)
      refuse("'{}' is {}: dim {} must be {}, a multiple of {}", name, to_string(shape), dim, term, known);
    size_of(unknown) = size / known;
  }

  const Signature& signature_;
  const Contract& contract_;
  std::array<int64_t, 128> sizes_{};  // by letter; -1: not known yet
  std::optional<DType> activation_;
  std::optional<DType> exact_;
  std::optional<base::Shape> rest_;
};

}  // namespace

void check(const Signature& signature, const Contract& contract) {
  Matcher(signature, contract).match();
}

}  // namespace pleat::kernels::ref
