#include "nn/pretrained/component_folder.h"

#include <doctest/doctest.h>

#include <fstream>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "nn/layers/linear.h"
#include "nn/state_file.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::message_of;
using plumb::test::random_tensor;
using plumb::test::TempDir;

namespace {

namespace fs = std::filesystem;

const StateDict& values() {
  static const StateDict state = {{"weight", random_tensor({5, 3}, 1, DType::f32)},
                                  {"bias", random_tensor({5}, 2, DType::f32)}};
  return state;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

std::string load_message(const fs::path& folder, const ComponentOptions& options = {}) {
  Linear linear(3, 5, Init::shapes());
  const std::string message = message_of([&] { load_component(linear, folder, options); });
  if (!message.empty()) CHECK_FALSE(linear.weight().has_memory());
  return message;
}

std::string index(const std::string& weight, const std::string& bias) {
  return R"({"metadata": {"total_size": 80}, "weight_map": {"weight": ")" + weight + R"(", "bias": ")" + bias + "\"}}";
}

/// A folder with the two tensors in two shards.
void write_shards(const fs::path& folder) {
  save_state(folder / "model-00001-of-00002.safetensors", {values()[0]});
  save_state(folder / "model-00002-of-00002.safetensors", {values()[1]});
  write(folder / "model.safetensors.index.json",
        index("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"));
}

}  // namespace

TEST_CASE("component folder: what is written is read back, over the mapped file") {
  const TempDir dir;
  {
    AtomicDirectory target(dir / "model");
    Json config = Json::object();
    add_component(target, {.name = "unet", .config = config.set("_class_name", "Linear"), .weights = values()});
    add_component(target, {.name = "text", .config = config, .weights = values(), .stem = "model"});
    target.commit();
  }
  const fs::path folder = dir / "model" / "unet";
  CHECK(read_config_file(folder).at("_class_name").as_string() == "Linear");
  CHECK(find_weight_files(folder).files == std::vector<fs::path>{folder / "diffusion_pytorch_model.safetensors"});
  CHECK(SafetensorsFile(folder / "diffusion_pytorch_model.safetensors").header().metadata() ==
        Metadata{{"format", "pt"}});
  for (const char* name : {"unet", "text"}) {
    Linear linear(3, 5, Init::shapes());
    load_component(linear, dir / "model" / name);
    CHECK(bits_of(linear.weight().value()) == bits_of(values()[0].tensor));
    CHECK(bits_of(linear.bias().value()) == bits_of(values()[1].tensor));
  }
}

TEST_CASE("component folder: 16-bit files become f32 unless asked otherwise; variants are taken by name") {
  const TempDir dir;
  StateDict half = values();
  for (NamedTensor& named : half) named.tensor = named.tensor.to(DType::f16);
  save_state(dir / "diffusion_pytorch_model.fp16.safetensors", half);
  Linear alone(3, 5, Init::shapes());
  load_component(alone, dir.path());
  CHECK(alone.weight().dtype() == DType::f32);
  CHECK(bits_of(alone.weight().value()) == bits_of(half[0].tensor.to(DType::f32)));

  save_state(dir / "diffusion_pytorch_model.safetensors", values());
  CHECK(find_weight_files(dir.path()).variant.empty());
  Linear chosen(3, 5, Init::shapes());
  load_component(chosen, dir.path(), {.variant = "fp16", .dtype = DType::f16});
  CHECK(bits_of(chosen.weight().value()) == bits_of(half[0].tensor));
  CHECK(has(load_message(dir.path(), {.variant = "ema"}), "diffusion_pytorch_model.ema.safetensors"));
}

TEST_CASE("component folder: shards") {
  const TempDir dir;
  write_shards(dir.path());
  Linear linear(3, 5, Init::shapes());
  load_component(linear, dir.path());
  CHECK(bits_of(linear.weight().value()) == bits_of(values()[0].tensor));
  CHECK(bits_of(linear.bias().value()) == bits_of(values()[1].tensor));

  SUBCASE("a whole file comes first") {
    save_state(dir / "model.safetensors", values());
    CHECK(find_weight_files(dir.path()).index.empty());
  }
  SUBCASE("of a variant") {
    for (const char* name : {"model.safetensors.index.fp16.json", "model.safetensors.fp16.index.json",
                             "model.fp16.safetensors.index.json"}) {
      fs::rename(dir / "model.safetensors.index.json", dir / name);
      CHECK(find_weight_files(dir.path()).variant == "fp16");
      fs::rename(dir / name, dir / "model.safetensors.index.json");
    }
  }
  SUBCASE("a shard is missing") {
    fs::remove(dir / "model-00002-of-00002.safetensors");
    CHECK(has(load_message(dir.path()), "a shard of the index is missing (model-00002-of-00002.safetensors)"));
  }
  SUBCASE("a name in the wrong shard") {
    write(dir / "model.safetensors.index.json",
          index("model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"));
    CHECK(has(load_message(dir.path()),
              "tensor \"bias\" must be in model-00001-of-00002.safetensors (it is in "
              "model-00002-of-00002.safetensors)"));
  }
  SUBCASE("a name in two shards") {
    save_state(dir / "model-00002-of-00002.safetensors", values());
    CHECK(has(load_message(dir.path()), "tensor \"weight\" is in two shards"));
  }
  SUBCASE("a name that the index does not know") {
    save_state(dir / "model-00002-of-00002.safetensors", {values()[1], {"scale", ones({1})}});
    CHECK(has(load_message(dir.path()), "tensor \"scale\" of model-00002-of-00002.safetensors is not in the index"));
  }
  SUBCASE("a name in no shard") {
    save_state(dir / "model-00002-of-00002.safetensors", {{"scale", ones({1})}});
    CHECK(has(load_message(dir.path()), "tensor \"bias\" must be in model-00002-of-00002.safetensors"));
  }
  SUBCASE("an index that leads out of the folder") {
    write(dir / "model.safetensors.index.json", index("../a.safetensors", "/etc/a.safetensors"));
    CHECK(has(load_message(dir.path()), "weight_map must name .safetensors files beside it"));
  }
  SUBCASE("an index without a map") {
    write(dir / "model.safetensors.index.json", "{}");
    CHECK(has(load_message(dir.path()), "index must have a weight_map"));
  }
}

TEST_CASE("component folder: what does not fit names file and tensor") {
  const TempDir dir;
  CHECK(has(load_message(dir.path()), "there must be diffusion_pytorch_model.safetensors or model.safetensors"));
  CHECK(has(load_message(dir / "nothing"), "cannot read the folder"));
  write(dir / "diffusion_pytorch_model.bin", "pickle");
  CHECK(has(load_message(dir.path()), "diffusion_pytorch_model.bin is a pickle"));

  const fs::path file = dir / "model.safetensors";
  save_state(file, {{"weight", zeros({5, 4})}, {"scale", zeros({1})}});
  CHECK(load_message(dir.path()) == file.string() +
                                        ": adopt_state_dict: names and shapes must match; 1 missing: bias; 1 extra: "
                                        "scale; 1 misshaped: weight (expected [5, 3], got [5, 4])");
  save_state(file, {{"old_weight", values()[0].tensor}, values()[1]});
  CHECK(load_message(dir.path(), {.rename =
                                      [](StateDict state) {
                                        for (NamedTensor& named : state)
                                          if (named.name == "old_weight") named.name = "weight";
                                        return state;
                                      }})
            .empty());
  save_state(file, values());
  fs::resize_file(file, fs::file_size(file) - 4);
  CHECK(has(load_message(dir.path()), "model.safetensors"));
  write(file, "");
  CHECK(has(load_message(dir.path()), "model.safetensors"));

  CHECK_THROWS_AS(read_config_file(dir.path()), IoError);
  write(dir / "config.json", "[1]");
  CHECK_THROWS_AS(read_config_file(dir.path()), IoError);
}
