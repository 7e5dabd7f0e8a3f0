// SPDX-License-Identifier: Apache-2.0
// Escaping and number formats of the report.
#include "train/report_text.h"

#include <cmath>
#include <cstdint>

#include "base/errors.h"
#include "train/progress.h"

namespace pleat::train {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Bytes of the well-formed sequence at the beginning of `bytes` (Unicode table 3-7), 0 for none.
size_t sequence_length(std::string_view bytes) {
  const auto at = [&](size_t i) { return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0u; };
  const auto follows = [&](size_t i, uint32_t low, uint32_t high) { return at(i) >= low && at(i) <= high; };
  const uint32_t lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const uint32_t low = lead == 0xe0 ? 0xa0 : 0x80, high = lead == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const uint32_t low = lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) && follows(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

bool is_control(char c) {
  return (static_cast<uint8_t>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t length = sequence_length(bytes);
    if (length == 0 || is_control(bytes[0]))
      text += kReplacement;
    else
      text += bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : printable(text)) switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  return escaped;
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : printable(text)) switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '<':
        quoted += "\\u003c";
        break;
      default:
        quoted += c;
    }
  return quoted + '"';
}

std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
}

std::string readable(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return "not finite";
  if (value == 0) return "0";
  if (size < 1e-3) return fmt::format("{:.1e}", value);
  if (size >= 9999.5) return size < 1e15 ? humanise_count(std::llround(value)) : fmt::format("{:.3e}", value);
  const int decimals = size < 0.99995 ? 4 : size < 9.9995 ? 3 : size < 99.995 ? 2 : size < 999.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string readable_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "not finite";
  if (seconds < 1e-3) return fmt::format("{:.3g} µs", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  return seconds < 99.95 ? fmt::format("{:.3g} s", seconds) : humanise_duration(seconds);
}

std::string readable_difference(double value, double reference) {
  const double percent = 100 * (value - reference) / reference;
  if (!std::isfinite(percent)) return "";
  return fmt::format("{}{:.1f} %", percent < 0 ? "−" : "+", std::abs(percent));
}

}  // namespace pleat::train
