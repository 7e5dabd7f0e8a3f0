// SPDX-License-Identifier: Apache-2.0
// One written value -> one field, strictly: no octal numbers, no yes and no, no quotes around numbers.
#pragma once
#include "config/keys.h"
#include "config/yaml.h"

namespace pleat::config {

/// Throws JobError beginning with the entry's place.
void assign(const Key& key, const YamlEntry& entry, Job& job);
/// The text that assign reads back as the same value.
std::string written(const Field& field, Job& job);

}  // namespace pleat::config
