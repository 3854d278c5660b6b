#include "apps/pairs/pair_folder.h"

#include <filesystem>
#include <system_error>

#include "apps/common/picture_image.h"
#include "apps/common/run_identity.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/io/safetensors.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIdentity = "pairs.json";
constexpr const char* kMetadata = "metadata.jsonl";

bool has_bytes(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return !error && size > 0;
}

}  // namespace

void check_pair_folder(const std::string& path, const Json& identity) {
  std::error_code ignored;
  const fs::path written = fs::path(path) / kIdentity;
  if (!fs::exists(written, ignored)) {
    require<UsageError>(!fs::exists(fs::path(path) / kMetadata, ignored),
                        "pairs: --out holds another data set ({}/{}); give another --out", path, kMetadata);
    return;
  }
  const Json saved = Json::parse(read_file(written), written.string());
  require<UsageError>(saved.is_object(), "pairs: {} is broken; remove it and the pairs beside it", written.string());
  for (const RunDifference& difference : run_differences(saved, identity))
    raise<UsageError>("pairs: {} holds pairs made with {} {} (this run: {}); give the same, or another --out", path,
                      difference.key, difference.was, difference.now);
}

PairFolder::PairFolder(const PairsSettings& settings, const OutputDir& out, const Json& identity)
    : s_(settings), out_(out) {
  check_pair_folder(out.path(), identity);
  write_file_atomic(out / kIdentity, identity.dump(2) + "\n");
  fs::create_directories(out / "winners");
  if (s_.has_losers()) fs::create_directories(out / "losers");
}

std::string PairFolder::name_of(const PlannedPair& pair, bool is_winner) const {
  return fmt::format("{}/{}.{}", is_winner ? "winners" : "losers", pair.id, s_.save_latents ? "safetensors" : "png");
}

bool PairFolder::holds(std::span<const PlannedPair> pairs) const {
  for (const PlannedPair& pair : pairs) {
    if (!has_bytes(out_ / name_of(pair, true))) return false;
    if (s_.has_losers() && !has_bytes(out_ / name_of(pair, false))) return false;
  }
  return true;
}

void PairFolder::add(const PlannedPair& pair, bool is_winner, const Tensor& drawn, const Tensor& pixels) const {
  const std::string path = out_ / name_of(pair, is_winner);
  if (s_.save_latents) {
    const Tensor latents = drawn.to(kCpu).to(DType::f32);
    save_safetensors(path, {{"latents", reshape(latents, {latents.size(1), latents.size(2), latents.size(3)})}},
                     {{"format", "pt"}}, Durability::left_to_system);
    return;
  }
  const std::vector<uint8_t> bytes = encode_png(picture_of(pixels));
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit(Durability::left_to_system);  // an empty one, after a power cut, is made again
}

void PairFolder::finish(const PlannedPairs& plan) const {
  std::string lines;
  for (const PlannedPair& pair : plan.pairs) {
    Json line = Json::object(), negatives = Json::array();
    line.set("id", pair.id).set("prompt", pair.prompt);
    for (const std::string& text : pair.negatives) negatives.push_back(text);
    if (!pair.negatives.empty()) line.set("neg_prompt", pair.negatives.front()).set("neg_prompts", negatives);
    line.set("pos_file", name_of(pair, true));
    if (s_.has_losers()) line.set("neg_file", name_of(pair, false));
    lines += line.set("seed", pair.seed).dump() + "\n";
  }
  write_file_atomic(out_ / kMetadata, lines);
}

}  // namespace plumb
