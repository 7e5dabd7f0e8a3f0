// SPDX-License-Identifier: Apache-2.0
// JSON from outside, parsed strictly: bounded depth, no duplicate keys, whole numbers that fit. Internal to
// this folder, since nlohmann's header is heavy: include from .cpp files only.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace pleat::checkpoint {

using Json = nlohmann::json;

/// DataError, beginning with `where`, for text that is not JSON, is nested deeper than `max_depth` or repeats
/// a key.
Json parse_json(std::string_view text, int max_depth, std::string_view where);

/// The member, of the kind asked for; DataError naming it otherwise.
const Json& object_at(const Json& object, const std::string& key, std::string_view where);
const Json& array_at(const Json& object, const std::string& key, std::string_view where);
std::string string_at(const Json& object, const std::string& key, std::string_view where);
/// A whole number in [0, 2^63).
int64_t count_at(const Json& object, const std::string& key, std::string_view where);
/// The same for a value itself; `what` describes it in the error.
int64_t count_of(const Json& value, std::string_view what, std::string_view where);

}  // namespace pleat::checkpoint
