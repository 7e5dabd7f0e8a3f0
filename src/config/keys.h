// SPDX-License-Identifier: Apache-2.0
// The one table of a job's keys. Reading, overriding, checking, printing and the help walk over it, and so
// does the reading and writing of Hugging Face's config.json (its field names are the keys under "model.").
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/job.h"

namespace pleat::config {

struct IntegerField {
  int64_t& (*at)(Job&);
  int64_t lowest, highest;
};
struct NumberField {
  double& (*at)(Job&);
  double lowest, highest;
  bool above_lowest;  // lowest itself is not legal
};
struct BooleanField {
  bool& (*at)(Job&);
};
struct TextField {
  std::string& (*at)(Job&);
};
struct ChoiceField {
  std::span<const std::string_view> names;  // by enumerator
  size_t first;                             // enumerators below are no choice of the user's
  size_t (*get)(Job&);
  void (*set)(Job&, size_t);
};
struct IntegersField {
  std::vector<int64_t>& (*at)(Job&);
};
struct TextsField {
  std::vector<std::string>& (*at)(Job&);
};
using Field =
    std::variant<IntegerField, NumberField, BooleanField, TextField, ChoiceField, IntegersField, TextsField>;

/// Where a key means something: elsewhere it is refused, and not printed.
struct Scope {
  bool (*holds)(const Job&);
  std::string_view words;  // "family llama"
};

struct Key {
  std::string_view path;
  Field field;
  const Scope* scope;
  const Scope* required;  // where a job must write it; null: nowhere
  std::string_view help;
};

/// In the order of printing; keys of one section stand together.
std::span<const Key> job_keys();
const Key* find_key(std::string_view path);
/// "integer", "true or false", "one of gpipe, 1f1b", ...
std::string kind_of(const Field& field);
/// Whether some key lies under `path`; the empty path is the job itself.
bool is_section(std::string_view path);
/// The keys and sections directly under a section.
std::vector<std::string> names_under(std::string_view section);

/// Values that hang on other values: what nobody wrote is taken from the family's class, the heads, the
/// steps. `written(path)` says whether the job has the key.
void apply_family_defaults(Job& job);
void resolve_defaults(Job& job, const std::function<bool(std::string_view)>& written);

/// The rules of single fields. `place` as in check_model.
void check_fields(const Job& job, std::string_view section,
                  const std::function<std::string(std::string_view)>& place);

}  // namespace pleat::config
