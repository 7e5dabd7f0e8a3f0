// SPDX-License-Identifier: Apache-2.0
// Event files, read back by a small decoder that shares nothing with the encoder but the format.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "base/errors.h"
#include "train/events.h"
#include "train/replace_file.h"

namespace pleat::train {
namespace {

namespace fs = std::filesystem;

/// A CRC by long division of bits, without a table.
uint32_t plain_crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const uint32_t feedback = (crc ^ (static_cast<uint8_t>(byte) >> bit)) & 1u;
      crc = (crc >> 1) ^ (feedback * 0x82f63b78u);
    }
  return ~crc;
}

template <class T>
T take(std::string_view& bytes) {
  T value;
  if (bytes.size() < sizeof value) throw std::runtime_error("short");
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

uint64_t take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<uint8_t>(bytes);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

struct Field {
  uint64_t number = 0;  // varint, or the bits of a fixed field
  std::string_view bytes{};
};
using Message = std::multimap<uint64_t, Field>;

Message decode(std::string_view bytes) {
  Message message;
  while (!bytes.empty()) {
    const uint64_t key = take_varint(bytes);
    Field field;
    switch (key & 7u) {
      case 0:
        field.number = take_varint(bytes);
        break;
      case 1:
        field.number = take<uint64_t>(bytes);
        break;
      case 5:
        field.number = take<uint32_t>(bytes);
        break;
      case 2: {
        const uint64_t length = take_varint(bytes);
        if (length > bytes.size()) throw std::runtime_error("short");
        field.bytes = bytes.substr(0, length);
        bytes.remove_prefix(length);
        break;
      }
      default:
        throw std::runtime_error("wire type");
    }
    message.emplace(key >> 3, field);
  }
  return message;
}

struct Event {
  double wall_time = 0;
  int64_t step = 0;
  std::string file_version{};
  uint64_t session_status = 0;
  std::map<std::string, float> scalars{};
};

Event decode_event(std::string_view bytes) {
  Event event;
  for (const auto& [field, content] : decode(bytes)) {
    if (field == 1) event.wall_time = std::bit_cast<double>(content.number);
    if (field == 2) event.step = static_cast<int64_t>(content.number);
    if (field == 3) event.file_version = content.bytes;
    if (field == 7) event.session_status = decode(content.bytes).find(1)->second.number;
    if (field != 5) continue;
    for (const auto& [one, value] : decode(content.bytes)) {
      EXPECT_EQ(one, 1u);
      const Message entry = decode(value.bytes);
      event.scalars[std::string(entry.find(1)->second.bytes)] =
          std::bit_cast<float>(static_cast<uint32_t>(entry.find(2)->second.number));
    }
  }
  return event;
}

uint32_t unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

std::vector<Event> read_events(const fs::path& path) {
  const std::string content = read_file(path);
  std::string_view rest = content;
  std::vector<Event> events;
  while (!rest.empty()) {
    const std::string_view length_bytes = rest.substr(0, 8);
    const auto length = take<uint64_t>(rest);
    EXPECT_EQ(unmask(take<uint32_t>(rest)), plain_crc32c(length_bytes));
    const std::string_view data = rest.substr(0, length);
    rest.remove_prefix(length);
    EXPECT_EQ(unmask(take<uint32_t>(rest)), plain_crc32c(data));
    events.push_back(decode_event(data));
  }
  return events;
}

StepMetrics sample(int64_t step) {
  return {step, 2.75, {{"balance_loss", 1.0625}, {"z_loss", 0.5}}, 0.75, 3e-4, 4096 * step, 0.25, 16384, 1.5};
}

class EventFile : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::path(testing::TempDir()) /
        fmt::format("pleat_{}_{}", getpid(), testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }
  fs::path directory_;
};

TEST_F(EventFile, CrcKnownAnswers) {  // RFC 3720, appendix B.4
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string ascending, descending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  for (int i = 31; i >= 0; --i) descending += static_cast<char>(i);
  EXPECT_EQ(crc32c(ascending), 0x46dd794eu);
  EXPECT_EQ(crc32c(descending), 0x113fdb5cu);
}

TEST_F(EventFile, MaskIsARotationByFifteenAndAConstant) {
  EXPECT_EQ(masked_crc32c(""), 0xa282ead8u);
  for (const std::string_view text : {"a", "123456789", "brain.Event:2"})
    EXPECT_EQ(unmask(masked_crc32c(text)), plain_crc32c(text));
}

TEST_F(EventFile, StepsReadBack) {
  EventWriter writer(directory_, "host", 1700000000.5);
  EXPECT_EQ(writer.path().filename(), "events.out.tfevents.1700000000.host.pleat");
  writer.write(sample(1), 1700000001.25);
  writer.write(sample(300), 1700000002);
  const std::vector<Event> events = read_events(writer.path());
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_EQ(events[0].wall_time, 1700000000.5);
  EXPECT_EQ(events[1].step, 1);
  EXPECT_EQ(events[1].wall_time, 1700000001.25);
  EXPECT_EQ(events[2].step, 300);
  const std::map<std::string, float> expected{
      {"loss", 2.75f},          {"grad_norm", 0.75f},      {"lr", 3e-4f},   {"tokens_per_s", 16384.f},
      {"router_balance", 1.5f}, {"balance_loss", 1.0625f}, {"z_loss", 0.5f}};
  EXPECT_EQ(events[2].scalars, expected);
}

TEST_F(EventFile, ARunOfItsOwnHasNoSessionStart) {
  EventWriter writer(directory_, "host", 1);
  writer.write(sample(1), 2);
  for (const Event& event : read_events(writer.path())) EXPECT_EQ(event.session_status, 0u);
}

TEST_F(EventFile, ResumingSupersedesTheStepsAfterTheCheckpoint) {
  EventWriter first(directory_, "host", 100);
  for (int64_t step = 1; step <= 6; ++step) first.write(sample(step), 100);
  EventWriter second(directory_, "host", 100, 4);
  second.write(sample(5), 101);
  EXPECT_LT(first.path().filename().string(), second.path().filename().string()) << "read in this order";
  const std::vector<Event> events = read_events(second.path());
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_EQ(events[1].session_status, 1u);
  EXPECT_EQ(events[1].step, 5) << "a START drops its own step and later ones";
  EXPECT_EQ(events[2].step, 5);
}

TEST_F(EventFile, FilesOfOneSecondKeepTheirOrder) {
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back(EventWriter(directory_, "a/b", 7).path().filename().string());
  EXPECT_EQ(names[0], "events.out.tfevents.0000000007.a_b.pleat");
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST_F(EventFile, ScalarsOfTheCallersOwn) {
  EventWriter writer(directory_, "host", 1);
  const std::vector<Scalar> scalars{{"held_out_loss", 1.25}};
  writer.write(1500, scalars, 9);
  EXPECT_EQ(read_events(writer.path()).back().scalars.at("held_out_loss"), 1.25f);
}

TEST_F(EventFile, AMissingDirectoryIsNamed) {
  EXPECT_THROW(EventWriter(directory_ / "no", "host", 1), base::DataError);
}

}  // namespace
}  // namespace pleat::train
