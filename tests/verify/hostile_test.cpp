// SPDX-License-Identifier: Apache-2.0
// A Program with damaged numbers and words is read or refused, verified or refused; nothing is thrown out of
// verify.
#include <gtest/gtest.h>

#include <cctype>
#include <random>

#include "base/errors.h"
#include "programs.h"
#include "verify/verify.h"

namespace pleat::verify {
namespace {

/// Replaces one number, or one word by another of the text.
void damage(std::string& text, std::mt19937& random) {
  const char* const numbers[] = {
      "0", "1", "2", "3", "7", "64", "100", "4096", "1048576", "16777216", "1125899906842624"};
  const auto begins = [&](size_t at) {
    return at > 0 && std::isalnum(static_cast<unsigned char>(text[at])) &&
           !std::isalnum(static_cast<unsigned char>(text[at - 1]));
  };
  const auto word = [&] {
    size_t at = random() % text.size();
    while (!begins(at)) at = (at + 1) % text.size();
    size_t end = at;
    while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end]))) ++end;
    return std::pair(at, end - at);
  };
  const auto [at, length] = word();
  if (std::isdigit(static_cast<unsigned char>(text[at]))) {
    text.replace(at, length, numbers[random() % std::size(numbers)]);
  } else {
    const auto [from, size] = word();
    text.replace(at, length, std::string(text.substr(from, size)));
  }
}

TEST(Hostile, VerifyAnswersWhateverTheTextSays) {
  layout::Degrees degrees;
  degrees.pp = 2, degrees.dp = 2, degrees.ep = 2;
  const std::string sound = program::to_text(compile::compile(small_request(expert_model(2), degrees, 2)));
  int refused_by_reading = 0, refused = 0, sound_still = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    std::string text = sound;
    for (int n = 1 + static_cast<int>(seed % 3); n > 0; --n) damage(text, random);
    try {
      const Report report = verify(program::from_text(text));
      ++(report.ok() ? sound_still : refused);
    } catch (const base::DataError&) {
      ++refused_by_reading;
    }
  }
  EXPECT_GT(refused_by_reading, 15);
  EXPECT_GT(refused, 15);
  RecordProperty("sound_still", sound_still);
}

}  // namespace
}  // namespace pleat::verify
