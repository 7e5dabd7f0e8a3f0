// SPDX-License-Identifier: Apache-2.0
// Headers made to hurt. Each must end in a DataError that names the file, the tensor where there is one, and
// the fault.
#include <gtest/gtest.h>

#include <cstring>

#include "checkpoint/safetensors.h"
#include "temporary_folder.h"

namespace pleat::checkpoint {
namespace {

using testing::error_of;
using testing::put;
using testing::TemporaryFolder;

std::string file_of(std::string_view json, size_t data_bytes) {
  const uint64_t length = json.size();
  std::string text(8, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + std::string(json) + std::string(data_bytes, 'x');
}

std::string error_of_file(const std::string& bytes) {
  const TemporaryFolder folder;
  put(folder / "bad.safetensors", bytes);
  const std::string text =
      error_of<base::DataError>([&] { SafetensorsFile file(folder / "bad.safetensors"); });
  EXPECT_EQ(text.empty() || text.find("bad.safetensors: ") != std::string::npos, true) << text;
  return text;
}

struct Case {
  std::string_view name;
  std::string_view json;
  size_t data_bytes;
  std::string_view expected;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class HostileHeader : public ::testing::TestWithParam<Case> {};

TEST_P(HostileHeader, IsNamed) {
  const std::string text = error_of_file(file_of(GetParam().json, GetParam().data_bytes));
  EXPECT_NE(text.find(GetParam().expected), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HostileHeader,
    ::testing::Values(
        Case{"Empty", "", 0, "does not begin with '{'"}, Case{"List", "[]", 0, "does not begin with '{'"},
        Case{"Blank", " {}", 0, "does not begin with '{'"}, Case{"Cut", R"({"a":)", 0, "is not JSON"},
        Case{"Trailing", "{} {}", 0, "is not JSON"}, Case{"NotUtf8", "{\"\xff\":1}", 0, "is not JSON"},
        Case{"NulByte", std::string_view("{}\0", 3), 0, "is not JSON"},
        Case{
            "Twice",
            R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
            0, "key 'a' occurs twice"},
        Case{"EscapedTwice", R"({"a":{"dtype":"F32","dtype":"F32"}})", 0, "key 'dtype' occurs twice"},
        Case{"Deep", R"({"a":{"shape":[[[[[[[[1]]]]]]]]}})", 0, "nested deeper"},
        Case{"NoObject", R"({"a":3})", 0, "tensor 'a'"},
        Case{"NoDtype", R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "tensor 'a': 'dtype' is missing"},
        Case{"DtypeNumber", R"({"a":{"dtype":3,"shape":[1],"data_offsets":[0,4]}})", 4,
             "'dtype' is not a string"},
        Case{"UnknownDtype", R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", 4,
             "unknown dtype 'F33'"},
        Case{"NoShape", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "'shape' is missing"},
        Case{"NegativeDim", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4,
             "is -1, not a whole number"},
        Case{"FractionalDim", R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4,
             "not a whole number"},
        Case{"HugeDim", R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4,
             "not a whole number"},
        Case{"HugerDim", R"({"a":{"dtype":"F32","shape":[184467440737095516150],"data_offsets":[0,4]}})", 4,
             "not a whole number"},
        Case{"WrappingShape",
             R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,0]}})", 0,
             "needs more bytes than the file has"},
        Case{"WrappingBits", R"({"a":{"dtype":"F32","shape":[576460752303423488],"data_offsets":[0,0]}})", 0,
             "needs more bytes than the file has"},
        Case{"FiveDims", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4]}})", 4, "5 dims"},
        Case{"OneOffset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}})", 4,
             "has 1 numbers, not 2"},
        Case{"Backwards", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "bytes 4 to 0"},
        Case{"BeyondTheEnd", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4,
             "bytes 0 to 8 of 4"},
        Case{"NegativeOffset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4,
             "not a whole number"},
        Case{"HugeOffset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}})", 4,
             "bytes 0 to 9223372036854775807"},
        Case{"SizeMismatch", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "needs 96 bits"},
        Case{"HalfBytes", R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1, "needs 12 bits"},
        Case{
            "Overlap",
            R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
            12, "tensor 'b' starts at byte 4 and overlaps"},
        Case{
            "Same",
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
            4, "overlaps"},
        Case{
            "Hole",
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
            12, "bytes 4 to 8 before tensor 'b' belong to no tensor"},
        Case{"HoleAtTheStart", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
             "bytes 0 to 4"},
        Case{"DataAfterTheEnd", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5,
             "end at byte 4 of the data, which has 5"},
        Case{"DataWithoutTensors", "{}", 5, "which has 5 bytes"},
        Case{"MetadataList", R"({"__metadata__":[]})", 0, "'__metadata__' is not an object"},
        Case{"MetadataNumber", R"({"__metadata__":{"format":3}})", 0, "'format' is not a string"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(HostileFile, EmptyShortAndHugeLengths) {
  EXPECT_NE(error_of_file("").find("0 bytes; a safetensors file has at least 8"), std::string::npos);
  EXPECT_NE(error_of_file("abc").find("3 bytes"), std::string::npos);
  std::string huge = file_of("{}", 0);
  std::memset(huge.data(), 0xff, 8);
  EXPECT_NE(error_of_file(huge).find("at most 100000000"), std::string::npos);
  std::string longer = file_of("{}", 0);
  longer[0] = 100;
  EXPECT_NE(error_of_file(longer).find("a header of 100 bytes in a file of 10"), std::string::npos);
  EXPECT_EQ(error_of_file(file_of("{}", 0)), "");
}

TEST(HostileFile, DeepJsonDoesNotExhaustTheStack) {
  EXPECT_NE(error_of_file(file_of("{\"a\":" + std::string(1'000'000, '['), 0)).find("nested deeper"),
            std::string::npos);
}

TEST(HostileFile, ALongNameIsCutInTheError) {
  const std::string text = error_of_file(file_of("{\"" + std::string(100'000, 'n') + "\":{}}", 0));
  EXPECT_LT(text.size(), 1000u);
}

TEST(HostileFile, MissingAndFolder) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of<base::DataError>([&] { SafetensorsFile file(folder / "none"); }).find("No such file"),
            std::string::npos);
  EXPECT_NE(error_of<base::DataError>([&] { SafetensorsFile file(folder.path()); }).find("is not a file"),
            std::string::npos);
}

TEST(HostileFile, TruncatedDataAndUnsupportedDtypes) {
  const TemporaryFolder folder;
  const std::string good = file_of(R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4);
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(error_of_file(good.substr(0, length)), "") << length;
  put(folder / "f16.safetensors", good);
  const SafetensorsFile file(folder / "f16.safetensors");
  std::vector<float> values(2);
  const std::string text = error_of<base::DataError>(
      [&] { file.read(file.tensor("a"), base::DType::f32, testing::bytes_of(values)); });
  EXPECT_NE(text.find("tensor 'a': dtype F16 is not supported"), std::string::npos) << text;
}

}  // namespace
}  // namespace pleat::checkpoint
