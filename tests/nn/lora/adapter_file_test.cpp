#include "nn/lora/adapter_file.h"

#include <doctest/doctest.h>

#include <limits>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/directory.h"
#include "engine/io/file.h"
#include "engine/ops.h"
#include "nn/adapter.h"
#include "nn/state_file.h"
#include "tests/nn/lora/adapted_net.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::AdaptedNet;
using plumb::test::bits_of;
using plumb::test::message_of;
using plumb::test::random_tensor;

namespace {

namespace fs = std::filesystem;

constexpr const char* kPeft = "pytorch_lora_weights.safetensors";
constexpr const char* kKohya = "pytorch_lora_weights_kohya.safetensors";

std::string names_of(const fs::path& file) {
  std::string names;
  for (const auto& [name, tensor] : load_safetensors(file)) names += fmt::format("{} {}\n", name, tensor);
  return names;
}

/// What a fresh net with these adapter tensors computes, or the error.
std::string loaded_output(const StateDict& state, const std::optional<AdapterConfig>& config = {}) {
  AdaptedNet net;
  try {
    load_adapter_state(net.net, "in", state, config);
  } catch (const ValueError& error) {
    CHECK(state_dict(net.net, Include::adapters).empty());  // nothing is changed
    return error.what();
  }
  return net.output("in");
}

StateDict renamed(StateDict state, const std::string& from, const std::string& to) {
  for (NamedTensor& named : state)
    if (const size_t at = named.name.find(from); at != std::string::npos) named.name.replace(at, from.size(), to);
  return state;
}

}  // namespace

TEST_CASE("adapter file: a folder goes through both namings bit for bit") {
  const plumb::test::TempDir folder;
  AdaptedNet net;
  net.add("student", {.rank = 2, .alpha = 5}, 7);
  save_adapter(folder / "lora", net.net, "student");
  CHECK(names_of(folder / "lora" / kPeft) ==
        "unet.0.lora_A.weight f32[2, 6]\nunet.0.lora_B.weight f32[8, 2]\n"
        "unet.2.lora_A.weight f32[2, 8]\nunet.2.lora_B.weight f32[3, 2]\n");
  CHECK(names_of(folder / "lora" / kKohya) ==
        "lora_unet_0.alpha f32[]\nlora_unet_0.lora_down.weight f32[2, 6]\nlora_unet_0.lora_up.weight f32[8, 2]\n"
        "lora_unet_2.alpha f32[]\nlora_unet_2.lora_down.weight f32[2, 8]\nlora_unet_2.lora_up.weight f32[3, 2]\n");
  verify_directory(folder / "lora");
  const Metadata kohya = SafetensorsFile(folder / "lora" / kKohya).header().metadata();
  CHECK(kohya.at("ss_network_dim") == "2");
  CHECK(kohya.at("ss_network_alpha") == "5");
  for (const fs::path& path : {folder / "lora", folder / "lora" / kPeft, folder / "lora" / kKohya}) {
    AdaptedNet fresh;
    CHECK(load_adapter(fresh.net, "in", path) == 2);
    CHECK(fresh.output("none") == net.output("none"));
    CHECK(fresh.output("in") == net.output("student"));
  }
}

TEST_CASE("adapter file: layers of other rank and alpha, a subset of layers, another component") {
  const plumb::test::TempDir folder;
  AdaptedNet net;
  net.add("a", {.rank = 2, .alpha = 2.5}, 7, {"0"});
  net.add("a", {.rank = 3, .alpha = 1}, 9, {"2"});
  net.add("part", {.rank = 1}, 11, {"2"});
  const AdapterNames names{.component = "transformer", .kohya_prefix = "lora_transformer_"};
  save_adapter(folder / "a", net.net, "a", names);
  save_adapter(folder / "part", net.net, "part");
  CHECK(SafetensorsFile(folder / "a" / kKohya).header().metadata().at("ss_network_dim") == "Dynamic");
  for (const char* file : {kPeft, kKohya}) {
    AdaptedNet fresh;
    load_adapter(fresh.net, "in", folder / "a" / file, names);
    CHECK(fresh.output("in") == net.output("a"));
    CHECK(load_adapter(fresh.net, "part", folder / "part" / file) == 1);
    CHECK(fresh.output("part") == net.output("part"));
    CHECK_THROWS_AS(load_adapter(fresh.net, "other", folder / "a" / file), ValueError);  // these are no unet's
  }
}

TEST_CASE("adapter file: 16-bit layers keep their exact masters in the file") {
  const plumb::test::TempDir folder;
  AdaptedNet exact, mixed;
  exact.add("a", {.rank = 2}, 7);
  to_dtype(mixed.net, DType::bf16);
  mixed.add("a", {.rank = 2}, 7);
  save_adapter(folder / "exact", exact.net, "a");
  save_adapter(folder / "mixed", mixed.net, "a");
  CHECK(read_file(folder / "exact" / kPeft) == read_file(folder / "mixed" / kPeft));
  AdaptedNet fresh;
  to_dtype(fresh.net, DType::bf16);
  load_adapter(fresh.net, "a", folder / "mixed");
  for (const NamedParameter& named : parameters(fresh.net, Include::adapters)) {
    CHECK(named.parameter->dtype() == DType::bf16);
    CHECK(named.parameter->has_master());
  }
  save_adapter(folder / "again", fresh.net, "a");
  CHECK(read_file(folder / "again" / kPeft) == read_file(folder / "exact" / kPeft));
}

TEST_CASE("adapter file: other programs' names are read") {
  AdaptedNet net;
  net.add("a", {.rank = 2}, 7);
  const StateDict peft = adapter_state_dict(net.net, "a", AdapterFormat::peft);
  const std::string expected = net.output("a");
  CHECK(loaded_output(peft) == expected);
  CHECK(loaded_output(renamed(peft, "unet.", "")) == expected);
  CHECK(loaded_output(renamed(peft, "unet.", "base_model.model.")) == expected);
  CHECK(loaded_output(renamed(peft, "unet.", "base_model.model.unet.")) == expected);
  CHECK(loaded_output(renamed(renamed(peft, "A.", "A.default."), "B.", "B.default.")) == expected);
  CHECK(loaded_output(renamed(renamed(peft, "lora_A", "lora.down"), "lora_B", "lora.up")) == expected);
  // kohya's way with the matrix of a linear layer that once was a 1x1 convolution; without alpha it is the rank.
  StateDict kohya;
  for (const NamedTensor& named : adapter_state_dict(net.net, "a", AdapterFormat::kohya))
    if (!named.name.ends_with("alpha"))
      kohya.push_back({named.name, reshape(named.tensor, {named.tensor.size(0), named.tensor.size(1), 1, 1})});
  CHECK(loaded_output(kohya) == expected);
  kohya.push_back({"lora_unet_0.alpha", full({1}, 0)});
  CHECK(loaded_output(kohya) == expected);
  kohya.back().tensor = full({}, 4, DType::f16);
  CHECK(loaded_output(kohya) != expected);
}

TEST_CASE("adapter file: every name that is missing, extra or misshaped is listed and nothing is changed") {
  AdaptedNet net;
  net.add("a", {.rank = 2}, 7);
  const AdapterConfig config = adapter_config(net.net, "a");
  StateDict state = adapter_state_dict(net.net, "a", AdapterFormat::peft);
  state[0].name = "unet.1.lora_A.weight";
  state[3].tensor = zeros({3, 5});
  state.push_back({"text_encoder.0.lora_A.weight", zeros({1})});
  CHECK(loaded_output(state) ==
        "load_adapter: names and shapes must match; 1 missing: unet.0.lora_A.weight; "
        "2 extra: unet.1.lora_A.weight, text_encoder.0.lora_A.weight; "
        "1 misshaped: unet.2.lora_B.weight (expected floating [3, 2], got f32[3, 5])");
  state = adapter_state_dict(net.net, "a", AdapterFormat::peft);
  const StateDict half(state.begin(), state.begin() + 2);
  CHECK(loaded_output(half) == [&] {
    const AdapterScope scope(net.net, "a");
    adaptable_layers(net.net)[1].adapters->activate("none");
    return bits_of(net.net.forward(net.x).value());
  }());
  CHECK(loaded_output(half, config) ==
        "load_adapter: names and shapes must match; 2 missing: unet.2.lora_A.weight, unet.2.lora_B.weight");
  state[1].tensor = zeros({8, 2}, DType::i64);
  CHECK(loaded_output(state) ==
        "load_adapter: names and shapes must match; "
        "1 misshaped: unet.0.lora_B.weight (expected floating [8, 2], got i64[8, 2])");
  state = adapter_state_dict(net.net, "a", AdapterFormat::peft);
  AdapterConfig other = config;
  other.rank_pattern["2"] = 4;
  CHECK(loaded_output(state, other) ==
        "load_adapter: names and shapes must match; 2 misshaped: unet.2.lora_A.weight (expected floating [4, 8], got "
        "f32[2, 8]), "
        "unet.2.lora_B.weight (expected floating [3, 4], got f32[3, 2])");
  state.push_back({"0.lora_A.weight", state[0].tensor});
  CHECK(loaded_output(state) == "adapter: unet.0.lora_A.weight and 0.lora_A.weight are the same tensor of one layer");
  StateDict kohya = adapter_state_dict(net.net, "a", AdapterFormat::kohya);
  kohya.erase(kohya.begin());
  kohya[4].tensor = full({2}, 1);
  CHECK(loaded_output(kohya) ==
        "load_adapter: names and shapes must match; 1 missing: lora_unet_0.lora_down.weight; "
        "1 misshaped: lora_unet_2.alpha (expected one element, got [2])");
  CHECK(loaded_output({}) == "load_adapter: no tensor belongs to an adapter (in)");
  kohya = adapter_state_dict(net.net, "a", AdapterFormat::kohya);
  kohya[2].tensor = full({}, std::numeric_limits<double>::infinity());
  CHECK(loaded_output(kohya) == "load_adapter: alpha must be finite (inf); layer 0");
}

TEST_CASE("adapter file: a taken or reserved name, and unreadable paths") {
  const plumb::test::TempDir folder;
  AdaptedNet net;
  net.add("a", {.rank = 2}, 7);
  save_adapter(folder / "a", net.net, "a");
  const std::string before = net.output("a");
  const auto refused = [&](const std::string& name, const fs::path& path) {
    return message_of([&] { load_adapter(net.net, name, path); });
  };
  CHECK(refused("a", folder / "a").ends_with("load_adapter: the name is taken in layer 0 (a)"));
  CHECK(refused("none", folder / "a").ends_with("name must be new and neither empty nor \"none\" (none)"));
  CHECK(net.output("a") == before);
  CHECK(state_dict(net.net, Include::adapters).size() == 4);
  fs::create_directory(folder / "empty");
  CHECK(refused("b", folder / "empty").starts_with("load_adapter: the folder must hold pytorch_lora_weights"));
  CHECK(refused("b", folder / "nowhere").find("nowhere") != std::string::npos);
  CHECK(message_of([&] { save_adapter(folder / "x", net.net, "x"); }) ==
        "adapter: no layer has an adapter of this name (x)");
  CHECK_FALSE(fs::exists(folder / "x"));
  // A PEFT folder: the configuration beside the file decides, here that alpha is not the rank.
  fs::create_directory(folder / "peft");
  save_state(folder / "peft/adapter_model.safetensors", adapter_state_dict(net.net, "a", AdapterFormat::peft));
  write_file_atomic(folder / "peft/adapter_config.json",
                    R"({"peft_type": "LORA", "r": 2, "lora_alpha": 6, "target_modules": ["0", "2"]})");
  load_adapter(net.net, "b", folder / "peft");
  CHECK(adaptable_layers(net.net)[0].adapters->find("b")->scale() == 3);
  write_file_atomic(folder / "peft/adapter_config.json", "{\"peft_type\": \"LORA\"}");
  CHECK(refused("c", folder / "peft").find("adapter_config.json: \"r\" is missing") != std::string::npos);
}

TEST_CASE("adapter file: a convolution's matrices carry its kernel") {
  plumb::test::KernelLayer layer, other;
  layer.adapters.add("a", layer.generator, {.rank = 2, .dtype = DType::f64}).up.assign(random_tensor({4, 2}, 3));
  for (const AdapterFormat format : {AdapterFormat::peft, AdapterFormat::kohya}) {
    const StateDict state = adapter_state_dict(layer, "a", format);
    CHECK(state[0].tensor.shape() == Shape{2, 2, 3, 3});
    CHECK(state[1].tensor.shape() == Shape{4, 2, 1, 1});
    const std::string name = format == AdapterFormat::peft ? "p" : "k";
    CHECK(load_adapter_state(other, name, state) == 1);
    CHECK(bits_of(other.adapters.find(name)->down.value()) == bits_of(layer.adapters.find("a")->down.value()));
    CHECK(bits_of(other.adapters.find(name)->up.value()) == bits_of(layer.adapters.find("a")->up.value()));
  }
}
