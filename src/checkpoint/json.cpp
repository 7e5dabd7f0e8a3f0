// SPDX-License-Identifier: Apache-2.0
// The parser's callback sees every key and bracket as it comes, so hostile input is refused before it is
// stored.
#include "checkpoint/json.h"

#include <limits>
#include <set>
#include <vector>

#include "base/errors.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using base::fail;

const Json& member(const Json& object, const std::string& key, std::string_view where) {
  if (!object.is_object()) fail<DataError>("{}: an object with '{}' is expected", where, key);
  const auto found = object.find(key);
  if (found == object.end()) fail<DataError>("{}: '{}' is missing", where, key);
  return *found;
}

}  // namespace

Json parse_json(std::string_view text, int max_depth, std::string_view where) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if ((event == Event::object_start || event == Event::array_start) && depth >= max_depth)
      fail<DataError>("{}: JSON nested deeper than {}", where, max_depth);
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get_ref<const std::string&>()).second)
      fail<DataError>("{}: key '{}' occurs twice", where, value.get_ref<const std::string&>());
    return true;
  };
  // The parser takes a NUL for the end of the text; what follows it would pass unread.
  if (text.find('\0') != std::string_view::npos) fail<DataError>("{}: is not JSON: it has a NUL byte", where);
  if (text.empty()) fail<DataError>("{}: is not JSON: it is empty", where);
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::parse_error& error) {
    if (error.byte > text.size())
      fail<DataError>("{}: is not JSON: it breaks off after {} bytes", where, text.size());
    fail<DataError>("{}: is not JSON: it is damaged at byte {} of {}", where, error.byte, text.size());
  } catch (const Json::exception&) {
    fail<DataError>("{}: is not JSON that can be read: a number in it is too large", where);
  }
}

const Json& object_at(const Json& object, const std::string& key, std::string_view where) {
  const Json& value = member(object, key, where);
  if (!value.is_object()) fail<DataError>("{}: '{}' is not an object", where, key);
  return value;
}

const Json& array_at(const Json& object, const std::string& key, std::string_view where) {
  const Json& value = member(object, key, where);
  if (!value.is_array()) fail<DataError>("{}: '{}' is not an array", where, key);
  return value;
}

std::string string_at(const Json& object, const std::string& key, std::string_view where) {
  const Json& value = member(object, key, where);
  if (!value.is_string()) fail<DataError>("{}: '{}' is not a string", where, key);
  return value.get<std::string>();
}

int64_t count_at(const Json& object, const std::string& key, std::string_view where) {
  return count_of(member(object, key, where), "'" + key + "'", where);
}

int64_t count_of(const Json& value, std::string_view what, std::string_view where) {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kMax)
    fail<DataError>(
        "{}: {} is {}, not a whole number from 0 on", where, what,
        value.is_structured() ? "a list" : value.dump(-1, ' ', true, Json::error_handler_t::replace));
  return static_cast<int64_t>(value.get<uint64_t>());
}

}  // namespace pleat::checkpoint
