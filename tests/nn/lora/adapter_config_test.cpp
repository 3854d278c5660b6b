#include "nn/lora/adapter_config.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "nn/adapter.h"
#include "tests/nn/lora/adapted_net.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::AdaptedNet;
using plumb::test::message_of;

namespace {

AdapterConfig parse(const std::string& text) { return adapter_config_from_json(Json::parse(text), "file"); }

}  // namespace

TEST_CASE("adapter config: an adapter's rank, alpha and layers, as PEFT writes them") {
  AdaptedNet net;
  net.add("student", {.rank = 2, .alpha = 5}, 7);
  const Json json = to_json(adapter_config(net.net, "student"));
  CHECK(json.at("peft_type") == Json("LORA"));
  CHECK(json.at("r") == Json(2));
  CHECK(json.at("lora_alpha") == Json(5));
  CHECK(json.at("target_modules").dump() == "[\"0\", \"2\"]");
  CHECK(json.at("rank_pattern").size() == 0);
  CHECK(message_of([&] { adapter_config(net.net, "x"); }) == "adapter: no layer has an adapter of this name (x)");
}

TEST_CASE("adapter config: layers that differ stand in the patterns and come back from them") {
  AdaptedNet net;
  net.add("a", {.rank = 2, .alpha = 2.5}, 7, {"0"});
  net.add("a", {.rank = 3, .alpha = 1}, 7, {"2"});
  const AdapterConfig config = adapter_config_from_json(to_json(adapter_config(net.net, "a")), "file");
  CHECK(config.rank_of("0") == 2);
  CHECK(config.rank_of("2") == 3);
  CHECK(config.alpha_of("0") == 2.5);
  CHECK(config.alpha_of("2") == 1);
}

TEST_CASE("adapter config: targets and patterns are paths or their ends") {
  const AdapterConfig config =
      parse(R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["to_q", "a.b"],
    "rank_pattern": {"to_q": 2, "mid.to_q": 16}, "alpha_pattern": {"b": 1.5}, "bias": "none", "use_dora": false})");
  CHECK(config.targets("to_q"));
  CHECK(config.targets("mid.to_q"));
  CHECK(config.targets("x.a.b"));
  CHECK_FALSE(config.targets("b"));
  CHECK_FALSE(config.targets("into_q"));
  CHECK(config.rank_of("up.to_q") == 2);
  CHECK(config.rank_of("mid.to_q") == 16);
  CHECK(config.rank_of("ato_q") == 4);
  CHECK(config.alpha_of("a.b") == 1.5);
  CHECK(config.alpha_of("mid.to_q") == 8);
}

TEST_CASE("adapter config: what is missing, ill-typed or not computed here is refused, naming file and key") {
  const auto refused = [](const std::string& text) { return message_of([&] { parse(text); }); };
  const std::string good = R"("peft_type": "LORA", "lora_alpha": 8, "target_modules": ["to_q"])";
  CHECK(refused("[]") == "file: must be a JSON object");
  CHECK(refused("{}") == "file: peft_type must be LORA (missing)");
  CHECK(refused(R"({"peft_type": "LOHA"})") == "file: peft_type must be LORA (\"LOHA\")");
  CHECK(refused("{" + good + "}") == "file: \"r\" is missing");
  CHECK(refused("{" + good + R"(, "r": 0})") == "file: \"r\": must be positive (0)");
  CHECK(refused("{" + good + R"(, "r": "4"})").starts_with("file: \"r\": "));
  CHECK(refused("{" + good + R"(, "r": 4, "use_rslora": true})") == "file: \"use_rslora\" must be false (true)");
  CHECK(refused("{" + good + R"(, "r": 4, "bias": "all"})") == "file: \"bias\" must be \"none\" (\"all\")");
  CHECK(refused("{" + good + R"(, "r": 4, "rank_pattern": [1]})") == "file: \"rank_pattern\" must be an object ([1])");
  CHECK(refused("{" + good + R"(, "r": 4, "rank_pattern": {"to_q": -1}})") == "file: \"to_q\": must be positive (-1)");
  CHECK(refused(R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": "all-linear"})")
            .starts_with("file: \"target_modules\": "));
  CHECK(refused("{" + good + R"(, "r": 4, "rank_pattern": null, "use_dora": null})").empty());
}
