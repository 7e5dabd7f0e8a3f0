// SPDX-License-Identifier: Apache-2.0
// The few kinds of failure of the whole library. An error says what, where, and what to do; nobody catches to
// go on.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace pleat::base {

/// A job, layout or command that cannot be honoured (exit code 2).
struct JobError : std::runtime_error {
  using runtime_error::runtime_error;
};
/// A Program or a number that is not what it must be: a failed proof, a NaN, a broken promise between our own
/// parts.
struct CheckError : std::runtime_error {
  using runtime_error::runtime_error;
};
/// A rank or a transport that failed; the other ranks end with it.
struct CommError : std::runtime_error {
  using runtime_error::runtime_error;
};
/// A file that is missing, damaged, hostile or of another format.
struct DataError : std::runtime_error {
  using runtime_error::runtime_error;
};

/// fail<DataError>("{}: {} bytes, expected {}", path, got, want)
template <class Error, class... Arguments>
[[noreturn]] void fail(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  throw Error(fmt::format(text, std::forward<Arguments>(arguments)...));
}

}  // namespace pleat::base
