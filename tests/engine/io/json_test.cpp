#include "engine/io/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/error.h"
#include "engine/random/random_key.h"

using plumb::IoError;
using plumb::Json;
using plumb::ValueError;

namespace {

std::string error_of(std::string_view text) {
  try {
    Json::parse(text, "a.json");
  } catch (const IoError& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("json: reads every kind and keeps the order of keys") {
  const Json json = Json::parse(R"( {"z": [1, -2.5, 1e3, true, false, null], "a": {"é": "\u00e9\n\ud83d\ude00"}} )");
  CHECK(json.as_object()[0].key == "z");
  CHECK(json.at("z")[0].as_integer() == 1);
  CHECK(json.at("z")[1].as_number() == -2.5);
  CHECK(json.at("z")[2].kind() == Json::Kind::number);
  CHECK(json.at("z")[3].as_bool());
  CHECK_FALSE(json.at("z")[4].as_bool());
  CHECK(json.at("z")[5].is_null());
  CHECK(json.at("a").at("é").as_string() == "é\n😀");
  CHECK(json.find("b") == nullptr);
  CHECK(Json::parse("\xEF\xBB\xBF[]").size() == 0);
  CHECK(Json::parse("\"\\u0000x\"").as_string() == std::string("\0x", 2));
}

TEST_CASE("json: writes what it reads") {
  const std::string text = R"({"a": [1, 2.0, "x\"\\\n\u0001é"], "b": {}, "c": [], "d": null})";
  CHECK(Json::parse(text).dump() == text);
  CHECK(Json::parse(text) == Json::parse(Json::parse(text).dump(2)));
  CHECK(Json::object().set("a", 1).set("b", Json(Json::Array{1, "x"})).dump(2) ==
        "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    \"x\"\n  ]\n}");
}

TEST_CASE("json: numbers survive the round trip exactly, with their kind") {
  for (uint64_t i = 0; i < 20000; ++i) {
    const double value = __builtin_bit_cast(double, plumb::mix64(i));
    if (!std::isfinite(value)) continue;
    const Json back = Json::parse(Json(value).dump());
    REQUIRE(back.kind() == Json::Kind::number);
    REQUIRE(back.as_number() == value);
  }
  CHECK(Json(1.0).dump() == "1.0");
  CHECK(Json(0.1).dump() == "0.1");
  CHECK(Json(1e300).dump() == "1e+300");
  CHECK(Json(-0.0).dump() == "-0.0");
  for (int64_t value : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})
    CHECK(Json::parse(Json(value).dump()).as_integer() == value);
}

TEST_CASE("json: NaN and infinities are written as null and never read") {
  CHECK(Json(NAN).dump() == "null");
  CHECK(Json(-INFINITY).dump() == "null");
  for (const char* text : {"NaN", "[Infinity]", "-Infinity", "[nan]"}) CHECK(error_of(text) != "accepted");
}

TEST_CASE("json: rejects duplicate keys, naming key, line and column") {
  CHECK(error_of("{\"a\": 1,\n \"b\": {\"a\": 1},\n \"a\": 2}") ==
        "json: keys of an object must be unique (line 3, column 4: \"a\" again); a.json");
  CHECK(error_of(R"({"a": {"x": 1, "\u0078": 2}})") ==
        "json: keys of an object must be unique (line 1, column 23: \"x\" again); a.json");
  CHECK(error_of(R"({"": 1, "": 2})") != "accepted");
  CHECK(error_of(R"([{"a": 1}, {"a": 1}])") == "accepted");
}

TEST_CASE("json: nesting is limited, whatever the brackets") {
  const auto nested = [](int depth) { return std::string(size_t(depth), '[') + std::string(size_t(depth), ']'); };
  CHECK(error_of(nested(128)) == "accepted");
  CHECK(error_of(nested(129)) ==
        "json: brackets must not nest too deeply (line 1, column 129: more than 128 levels); a.json");
  CHECK(contains(error_of(std::string(1000000, '[')), "more than 128 levels"));
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  CHECK(contains(error_of(objects), "more than 128 levels"));
}

TEST_CASE("json: integers must fit int64 and numbers a double") {
  CHECK(Json::parse("9223372036854775807").as_integer() == INT64_MAX);
  CHECK(Json::parse("-9223372036854775808").as_integer() == INT64_MIN);
  CHECK(error_of("[\n9223372036854775808]") ==
        "json: integers must fit 64 bits with sign (line 2, column 20: 9223372036854775808); a.json");
  CHECK(contains(error_of("18446744073709551616"), "integers must fit 64 bits"));
  CHECK(contains(error_of("-9223372036854775809"), "integers must fit 64 bits"));
  CHECK(contains(error_of("1e400"), "text must be valid JSON"));
  CHECK(contains(error_of("-1e400"), "number overflow"));
  CHECK(Json::parse("1e-400").as_number() == 0);
  CHECK(Json::parse("9223372036854775808.0").as_number() == 9223372036854775808.0);
}

TEST_CASE("json: text that is not JSON is refused with line and column") {
  const char* bad[] = {
      "",
      " ",
      "{",
      "}",
      "[1,]",
      "[1 2]",
      "{\"a\"}",
      "{\"a\":}",
      "{a: 1}",
      "{'a': 1}",
      "[1]]",
      "1 2",
      "tru",
      "nulll",
      "01",
      "+1",
      ".5",
      "1.",
      "1e",
      "0x10",
      "--1",
      "\"",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\n\"",
      "\"\t\"",
      "// c\n1",
      "/* */ 1",
      "[1,,2]",
      "{\"a\":1,}",
      "[\"a]",
      "{\"a\":1 \"b\":2}",
      "\"\\ud800\"",
      "\"\\udc00\"",
      "\"\\ud800\\u0041\"",
      "\"\xff\"",
      "\"\xc0\x80\"",
      "\"\xed\xa0\x80\"",
      "\"\xf4\x90\x80\x80\"",
      "\"\xe9\"",
      "\xff\xfe[",
      "[\x01]",
  };
  for (const char* text : bad) {
    CAPTURE(text);
    const std::string error = error_of(text);
    CHECK(contains(error, "json: text must be valid JSON (line 1, column "));
    CHECK(contains(error, "; a.json"));
    for (char c : error) CHECK((uint8_t(c) >= 0x20 && uint8_t(c) < 0x7F));
  }
  CHECK(error_of(std::string("[1\0]", 4)) == "json: text must be valid JSON (line 1, column 3: NUL byte); a.json");
  CHECK(error_of(std::string("1\0garbage", 9)) == "json: text must be valid JSON (line 1, column 2: NUL byte); a.json");
  CHECK(contains(error_of("{\n  \"a\": 1,\n  \"b\" 2\n}"), "(line 3, column 8:"));
  CHECK(error_of("[" + std::string(1000000, 'x')).size() < 400);
}

TEST_CASE("json: strings that are not UTF-8 cannot be written") {
  for (const char* text : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe9", "\x80", "\xf0\x8f\xbf\xbf"})
    CHECK_THROWS_AS(Json(text).dump(), ValueError);
  for (const char* text : {"é", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "\xe0\xa0\x80", "\x7f"})
    CHECK(Json::parse(Json(text).dump()).as_string() == text);
}

TEST_CASE("json: accessors say what is there instead") {
  const Json json = Json::parse(R"({"a": 1, "b": "text", "c": [1], "d": 1.5})");
  CHECK_THROWS_WITH_AS(json.at("b").as_integer(), "json: expected an integer (a string: \"text\")", ValueError);
  CHECK_THROWS_WITH_AS(json.at("d").as_integer(), "json: expected an integer (a number: 1.5)", ValueError);
  CHECK_THROWS_WITH_AS(json.at("c").as_number(), "json: expected a number (an array)", ValueError);
  CHECK_THROWS_WITH_AS(json.at("e"), "json: object has no member \"e\" (4 members)", ValueError);
  CHECK_THROWS_WITH_AS(json.at("c")[1], "json: array has no element 1 (1 elements)", ValueError);
  CHECK_THROWS_AS(Json(1).push_back(2), ValueError);
  CHECK_THROWS_AS(Json(1).set("a", 2), ValueError);
  CHECK_THROWS_AS(Json(~uint64_t(0)), ValueError);
  CHECK(json.at("a").as_number() == 1.0);
}

TEST_CASE("json: members can be replaced and removed") {
  Json json = Json::object().set("a", 1).set("b", 2).set("a", "new");
  CHECK(json.dump() == R"({"a": "new", "b": 2})");
  CHECK(json.erase("a"));
  CHECK_FALSE(json.erase("a"));
  CHECK(json.dump() == R"({"b": 2})");
}

TEST_CASE("json: a million keys are read in order and checked for duplicates") {
  std::string text = "{";
  for (int i = 0; i < 1000000; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const Json json = Json::parse(text + "\"last\":0}");
  CHECK(json.size() == 1000001);
  CHECK(json.as_object()[777777].value.as_integer() == 777777);
  CHECK(contains(error_of(text + "\"key123456\":0}"), "\"key123456\" again"));
}
