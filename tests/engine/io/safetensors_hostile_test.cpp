#include <doctest/doctest.h>

#include <cstring>
#include <fstream>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/support/temp_dir.h"

// Files made by hand to break readers. Each must give a named error, or load.

using namespace plumb;
using plumb::test::TempDir;

namespace {

// One string of many pieces. (GCC 12 warns, wrongly, about literal + string.)
std::string join(std::initializer_list<std::string_view> pieces) {
  std::string all;
  for (std::string_view piece : pieces) all += piece;
  return all;
}

std::string length_bytes(uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

std::string error_of_bytes(const std::string& bytes) {
  const TempDir dir;
  std::ofstream(dir / "f", std::ios::binary) << bytes;  // without the syncs of our own writer: many files
  try {
    load_safetensors(dir / "f");
  } catch (const IoError& error) {
    const std::string text = error.what();
    for (char c : text) CHECK((uint8_t(c) >= 0x20));
    CHECK(text.ends_with("; " + (dir / "f").string()));
    CHECK(text.size() < 800);
    return text.substr(0, text.rfind("; "));
  }
  return "loads";
}

std::string error_of(const std::string& header, size_t data_bytes = 0) {
  return error_of_bytes(length_bytes(header.size()) + header + std::string(data_bytes, '\0'));
}

// A header with tensor "a" of these fields, and one with F32 tensors of these offsets.
std::string with_fields(std::string_view fields) { return join({"{\"a\":{", fields, "}}"}); }
std::string error_of_shape(std::string_view shape, size_t bytes = 4) {
  const std::string end = std::to_string(bytes);
  return error_of(with_fields(join({R"("dtype":"F32","shape":)", shape, ",\"data_offsets\":[0,", end, "]"})), bytes);
}
std::string error_of_offsets(std::string_view offsets) {
  return error_of(with_fields(join({R"("dtype":"U8","shape":[4],"data_offsets":)", offsets})), 4);
}
std::string tensor_u8(std::string_view name, size_t begin, size_t end) {
  const std::string size = std::to_string(end - begin), from = std::to_string(begin), to = std::to_string(end);
  return join({"\"", name, R"(":{"dtype":"U8","shape":[)", size, R"(],"data_offsets":[)", from, ",", to, "]}"});
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("hostile safetensors: lengths of file and header") {
  CHECK(error_of_bytes("") == "safetensors: file must have at least 8 bytes (0)");
  CHECK(error_of_bytes("1234567") == "safetensors: file must have at least 8 bytes (7)");
  CHECK(error_of_bytes(length_bytes(0)) == "safetensors: header must start with '{' (0 bytes that do not)");
  CHECK(error_of_bytes(length_bytes(0) + "{}") == "safetensors: header must start with '{' (0 bytes that do not)");
  CHECK(error_of_bytes(length_bytes(3) + "{}") ==
        "safetensors: header must fit in the file (3 bytes, the file has 10)");
  CHECK(error_of_bytes(length_bytes(uint64_t(1) << 63) + "{}") ==
        "safetensors: header must have at most 100000000 bytes (9223372036854775808)");
  CHECK(contains(error_of_bytes(length_bytes(~uint64_t(0)) + "{}"), "at most 100000000 bytes"));
  CHECK(contains(error_of_bytes(length_bytes(~uint64_t(0) - 7) + "{}"), "at most 100000000 bytes"));
  CHECK(contains(error_of_bytes(length_bytes(100000001) + "{}"), "at most 100000000 bytes"));
  CHECK(contains(error_of_bytes(length_bytes(100000000) + "{}"), "must fit in the file"));
  CHECK(error_of_bytes(length_bytes(2) + "{}") == "loads");
}

TEST_CASE("hostile safetensors: text that is no JSON object") {
  for (const char* header : {" {}", "[]", "\"{}\"", "\xEF\xBB\xBF{}", "\n{}", "1", "null"})
    CHECK(contains(error_of(header), "header must start with '{'"));
  for (const char* header : {"{", "{}}", "{} x", "{\"a\"}", "{\"a\":}", "{,}", "{\"\xff\":1}", "{\"\\ud800\":{}}",
                             "{a:1}", "{}{}", "{\"a\":", "{'a':{}}", "{\"__metadata__\":{},}", "{}\x01", "{//\n}"}) {
    CAPTURE(header);
    CHECK(contains(error_of(header), "json: text must be valid JSON (line "));
  }
  CHECK(contains(error_of(std::string("{}\0\0", 4)), "text must be valid JSON"));
  CHECK(error_of("{}   \n\t ") == "loads");
}

TEST_CASE("hostile safetensors: members that are no tensors") {
  CHECK(error_of(R"({"a":null})") == "safetensors: member \"a\" must be an object (null)");
  CHECK(error_of(R"({"a":1})") == "safetensors: member \"a\" must be an object (an integer)");
  CHECK(error_of(R"({"a":[]})") == "safetensors: member \"a\" must be an object (an array)");
  CHECK(error_of(R"({"a":"F32"})") == "safetensors: member \"a\" must be an object (a string)");
  CHECK(error_of(R"({"a":true})") == "safetensors: member \"a\" must be an object (a boolean)");
  CHECK(error_of(R"({"a":{}})") == "safetensors: tensor \"a\" must have a dtype");
  CHECK(error_of(with_fields(R"("dtype":"F32","shape":[])")) == "safetensors: tensor \"a\" must have a data_offsets");
  CHECK(error_of(with_fields(R"("dtype":"F32","data_offsets":[0,4])"), 4) ==
        "safetensors: tensor \"a\" must have a shape");
  CHECK(error_of(with_fields(R"("dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4])"), 4) ==
        "safetensors: tensor \"a\" must not have dtype twice");
  CHECK(error_of(with_fields(R"("dtype":"F32","shape":[],"data_offsets":[0,4],"shape":[1])"), 4) ==
        "safetensors: tensor \"a\" must not have shape twice");
  CHECK(error_of(with_fields(R"("dtype":"F32","shape":[],"data_offsets":[0,4],"extra":1)"), 4) ==
        "safetensors: tensor \"a\" must have dtype, shape and data_offsets only (\"extra\")");
  CHECK(error_of(with_fields(R"("dtype":"F32","shape":{},"data_offsets":[0,4])"), 4) ==
        "safetensors: shape of tensor \"a\" must be a list (an object)");
}

TEST_CASE("hostile safetensors: dtypes") {
  for (const char* dtype : {"I16", "U16", "U32", "U64", "I8", "F8_E4M3", "F8_E5M2", "C64", "f32", "", "F32 "})
    CHECK(error_of(with_fields(join({R"("dtype":")", dtype, R"(","shape":[0],"data_offsets":[0,0])"}))) ==
          "safetensors: dtype of tensor \"a\" must be one of F64 F32 F16 BF16 I64 I32 U8 BOOL (\"" +
              std::string(dtype) + "\")");
  CHECK(error_of(with_fields(R"("dtype":1,"shape":[],"data_offsets":[0,4])"), 4) ==
        "safetensors: dtype of tensor \"a\" must be a string (an integer)");
  CHECK(error_of(with_fields(R"("dtype":["F32"],"shape":[],"data_offsets":[0,4])"), 4) ==
        "safetensors: dtype of tensor \"a\" must be a string (an array)");
  const std::string two_bools = with_fields(R"("dtype":"BOOL","shape":[2],"data_offsets":[0,2])");
  CHECK(error_of_bytes(length_bytes(two_bools.size()) + two_bools + std::string("\0\1", 2)) == "loads");
  CHECK(error_of_bytes(length_bytes(two_bools.size()) + two_bools + std::string("\0\2", 2)) ==
        "safetensors: BOOL tensor \"a\" must hold 0 and 1 only");
}

TEST_CASE("hostile safetensors: shapes") {
  CHECK(error_of_shape("[]") == "loads");
  CHECK(error_of_shape("[1]") == "loads");
  CHECK(error_of_shape("[1,1,1,1,1,1,1,1]") == "loads");
  CHECK(error_of_shape("[0]", 0) == "loads");
  CHECK(error_of_shape("[0,1000000]", 0) == "loads");
  CHECK(error_of_shape("[1,1,1,1,1,1,1,1,1]") ==
        "safetensors: shape of tensor \"a\" must have at most 8 integers (more)");
  CHECK(error_of_shape("[-1]") == "safetensors: shape of tensor \"a\" must not be negative (-1)");
  CHECK(error_of_shape("[1.0]") == "safetensors: shape of tensor \"a\" must hold integers only (a number)");
  CHECK(contains(error_of_shape("[1e400]"), "text must be valid JSON"));
  CHECK(contains(error_of_shape("[9223372036854775808]"), "integers must fit 64 bits with sign"));
  CHECK(contains(error_of_shape("[18446744073709551617]"), "integers must fit 64 bits with sign"));
  CHECK(error_of_shape("[\"1\"]") == "safetensors: shape of tensor \"a\" must hold integers only (a string)");
  CHECK(error_of_shape("[null]") == "safetensors: shape of tensor \"a\" must hold integers only (null)");
  CHECK(contains(error_of_shape("[[1]]"), "brackets must not nest too deeply"));
  CHECK(contains(error_of_shape("[{}]"), "brackets must not nest too deeply"));
  CHECK(error_of_shape("1") == "safetensors: shape of tensor \"a\" must be a list (an integer)");
  // Products that wrap to the right number of bytes must not pass.
  for (const char* shape :
       {"[4611686018427387904,4]", "[9223372036854775807]", "[2147483648,2147483648,4]", "[4294967296,4294967296]",
        "[4611686018427387905]", "[0,9223372036854775807]", "[9223372036854775807,0]", "[4294967296,0,4294967296]"})
    CHECK(error_of_shape(shape) == "safetensors: shape of tensor \"a\" must have a size below 2^63");
  CHECK(error_of_shape("[2]") == "safetensors: data_offsets of tensor \"a\" must span 8 bytes (4)");
  CHECK(error_of_shape("[0]") == "safetensors: data_offsets of tensor \"a\" must span 0 bytes (4)");
}

TEST_CASE("hostile safetensors: offsets of one tensor") {
  CHECK(error_of_offsets("[0,4]") == "loads");
  CHECK(error_of_offsets("[]") == "safetensors: data_offsets of tensor \"a\" must have exactly 2 integers (0)");
  CHECK(error_of_offsets("[0]") == "safetensors: data_offsets of tensor \"a\" must have exactly 2 integers (1)");
  CHECK(error_of_offsets("[0,4,4]") == "safetensors: data_offsets of tensor \"a\" must have exactly 2 integers (more)");
  CHECK(error_of_offsets("[4,0]") == "safetensors: data_offsets of tensor \"a\" must not decrease (4, 0)");
  CHECK(error_of_offsets("[-4,0]") == "safetensors: data_offsets of tensor \"a\" must not be negative (-4)");
  CHECK(error_of_offsets("[0,4.0]") == "safetensors: data_offsets of tensor \"a\" must hold integers only (a number)");
  CHECK(error_of_offsets("\"0,4\"") == "safetensors: data_offsets of tensor \"a\" must be a list (a string)");
  CHECK(error_of_offsets("null") == "safetensors: data_offsets of tensor \"a\" must be a list (null)");
  CHECK(contains(error_of_offsets("[0,18446744073709551620]"), "integers must fit 64 bits with sign"));
  CHECK(
      error_of_offsets("[9223372036854775803,9223372036854775807]") ==
      "safetensors: tensor \"a\" must end within the file (bytes 9223372036854775803 to 9223372036854775807, 0 covered "
      "before it, 4 in the file)");
  CHECK(contains(error_of_offsets("[1,5]"), "tensor \"a\" must end within the file"));
}

TEST_CASE("hostile safetensors: tensors against each other") {
  const auto pair = [](size_t a0, size_t a1, size_t b0, size_t b1, size_t bytes) {
    return error_of(join({"{", tensor_u8("a", a0, a1), ",", tensor_u8("b", b0, b1), "}"}), bytes);
  };
  CHECK(pair(0, 2, 2, 4, 4) == "loads");
  CHECK(pair(2, 4, 0, 2, 4) == "loads");
  CHECK(pair(0, 0, 0, 4, 4) == "loads");
  CHECK(pair(0, 4, 4, 4, 4) == "loads");
  CHECK(pair(0, 2, 1, 4, 4) ==
        "safetensors: tensor \"b\" must not overlap another (bytes 1 to 4, 2 covered before it, 4 in the file)");
  CHECK(contains(pair(0, 4, 0, 4, 4), "must not overlap"));
  CHECK(contains(pair(0, 4, 1, 2, 4), "must not overlap"));
  CHECK(contains(pair(0, 4, 2, 2, 4), "must not overlap"));
  CHECK(pair(0, 1, 2, 4, 4) ==
        "safetensors: tensor \"b\" must leave no hole before it (bytes 2 to 4, 1 covered before it, 4 in the file)");
  CHECK(contains(pair(1, 2, 2, 4, 4), "tensor \"a\" must leave no hole"));
  CHECK(pair(0, 2, 2, 4, 5) == "safetensors: tensors must cover the data to its end (4 of 5 bytes)");
  CHECK(contains(pair(0, 2, 2, 4, 3), "must end within the file"));
  CHECK(error_of("{}", 1) == "safetensors: tensors must cover the data to its end (0 of 1 bytes)");
  CHECK(error_of(join({"{", tensor_u8("a", 0, 2), ",", tensor_u8("a", 2, 4), "}"}), 4) ==
        "safetensors: names must be unique (\"a\" twice)");
  CHECK(error_of(join({"{", tensor_u8("a", 0, 2), ",", tensor_u8("\\u0061", 2, 4), "}"}), 4) ==
        "safetensors: names must be unique (\"a\" twice)");
  // A second format appended (a zip archive's tail) is data that no tensor covers.
  const std::string header = join({"{", tensor_u8("a", 0, 4), "}"});
  CHECK(contains(error_of_bytes(length_bytes(header.size()) + header + "data" + "PK\x05\x06" + std::string(18, '\0')),
                 "tensors must cover the data to its end (4 of 26 bytes)"));
}

TEST_CASE("hostile safetensors: names") {
  CHECK(error_of(join({"{", tensor_u8("", 0, 1), "}"}), 1) == "loads");
  CHECK(error_of(join({"{", tensor_u8("../x", 0, 1), "}"}), 1) == "loads");
  CHECK(error_of(join({"{", tensor_u8("a\\u0000b", 0, 1), "}"}), 1) ==
        "safetensors: name of a tensor must not hold NUL (\"a\\u0000b\")");
  CHECK(contains(error_of(join({"{\"", std::string(1000000, 'n'), "\":1}"})), "nnn\" must be an object"));
  std::string long_utf8;
  for (int i = 0; i < 1000; ++i) long_utf8 += "é";
  CHECK(contains(error_of(join({"{\"x", long_utf8, "\":1}"})), "é\" must be an object"));
}

TEST_CASE("hostile safetensors: metadata") {
  CHECK(error_of(R"({"__metadata__":{}})") == "loads");
  CHECK(error_of(R"({"__metadata__":{"format":"pt","":"\u0000"}})") == "loads");
  CHECK(error_of(R"({"__metadata__":null})") == "safetensors: member \"__metadata__\" must be an object (null)");
  CHECK(error_of(R"({"__metadata__":[]})") == "safetensors: member \"__metadata__\" must be an object (an array)");
  CHECK(error_of(R"({"__metadata__":{"a":1}})") ==
        "safetensors: __metadata__ must hold strings only (\"a\" is an integer)");
  CHECK(error_of(R"({"__metadata__":{"a":{}}})") ==
        "safetensors: __metadata__ must hold strings only (\"a\" is an object)");
  CHECK(error_of(R"({"__metadata__":{"a":["b"]}})") ==
        "safetensors: __metadata__ must hold strings only (\"a\" is an array)");
  CHECK(error_of(R"({"__metadata__":{"a":"1","a":"2"}})") == "safetensors: __metadata__ must not repeat a key (\"a\")");
  CHECK(error_of(R"({"__metadata__":{},"__metadata__":{}})") == "safetensors: __metadata__ must not appear twice");
}

TEST_CASE("hostile safetensors: depth") {
  CHECK(contains(error_of(join({"{\"a\":", std::string(100000, '[')})), "must be an object (an array)"));
  std::string objects = "{\"a\":{\"shape\":";
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  CHECK(contains(error_of(objects), "must be a list (an object)"));
  CHECK(
      contains(error_of(join({"{\"a\":{\"shape\":", std::string(100000, '[')})), "brackets must not nest too deeply"));
}

TEST_CASE("hostile safetensors: cut anywhere, a good file is refused") {
  const TempDir dir;
  save_safetensors(dir / "f", {{"a", zeros({3})}, {"b", zeros({2, 2}, DType::i64)}, {"c", zeros({5}, DType::u8)}});
  const std::string whole = read_file(dir / "f");
  CHECK(error_of_bytes(whole) == "loads");
  for (size_t size = 0; size < whole.size(); ++size) CHECK(error_of_bytes(whole.substr(0, size)) != "loads");
  CHECK(error_of_bytes(whole + "x") != "loads");
}

TEST_CASE("hostile safetensors: a million tensors are checked and found") {
  std::string header = "{";
  constexpr size_t kCount = 1000000;
  header.reserve(kCount * 70);
  for (size_t i = 0; i < kCount; ++i)
    header += join({tensor_u8(join({"t", std::to_string(i)}), i, i + 1), i + 1 < kCount ? "," : "}"});
  const std::string bytes = length_bytes(header.size()) + header + std::string(kCount, '\7');
  const std::span<const uint8_t> file(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  const SafetensorsHeader parsed = SafetensorsHeader::parse(file, "f");
  CHECK(parsed.size() == kCount);
  const size_t index = parsed.find("t777777");
  REQUIRE(index < kCount);
  CHECK(parsed.end(index) - parsed.begin(index) == 1);
  CHECK(parsed.begin(index) == 8 + header.size() + 777777);
  CHECK(parsed.find("t1000000") == kCount);
}
