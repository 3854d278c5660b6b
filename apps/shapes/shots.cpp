#include "apps/shapes/shots.h"

#include <filesystem>

#include "apps/common/exit_codes.h"
#include "engine/format.h"
#include "engine/io/read_image.h"
#include "engine/parallel.h"
#include "engine/require.h"
#include "nn/data/metadata_file.h"

namespace plumb::shapes {
namespace {

const std::string& text_of(const Json& fields, std::initializer_list<std::string_view> keys, const std::string& where) {
  for (const std::string_view key : keys)
    if (const Json* value = fields.find(key); value && value->is_string()) return value->as_string();
  raise<UsageError>("shapes: a line must have the text \"{}\" ({}); give a folder that plumb sample wrote",
                    *keys.begin(), where);
}

Shot shot_of(const MetadataRow& row, const std::filesystem::path& folder, const std::string& where) {
  Shot shot{.file = text_of(row.fields, {"file_name"}, where),
            .prompt = text_of(row.fields, {"prompt", "text"}, where)};
  shot.path = (folder / shot.file).string();
  if (const Json* seed = row.fields.find("seed")) shot.seed = seed->as_integer();
  const auto caption = parse_caption(shot.prompt);
  require<UsageError>(caption.has_value(), "shapes: the prompt must be a caption of this world ({}: \"{}\")", where,
                      shot.prompt);
  shot.caption = *caption;
  return shot;
}

}  // namespace

std::vector<Shot> read_shots(const std::string& folder, const World& world) {
  const std::filesystem::path metadata = std::filesystem::path(folder) / "metadata.jsonl";
  std::vector<Shot> shots;
  for (const MetadataRow& row : read_metadata(metadata))
    shots.push_back(shot_of(row, folder, fmt::format("{}:{}", metadata.string(), row.line)));
  require<UsageError>(!shots.empty(), "shapes: there must be a picture ({})", metadata.string());
  parallel_for(int64_t(shots.size()), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Shot& shot = shots[size_t(i)];
      shot.image = to_rgb(read_image(shot.path));
      require<UsageError>(shot.image.width == world.picture_size && shot.image.height == world.picture_size,
                          "shapes: pictures of world {0} must be {1}x{1} ({2}: {3}x{4}); give another --world",
                          world.name, world.picture_size, shot.path, shot.image.width, shot.image.height);
      shot.reading = analyse(shot.image, world);
      shot.score = score(shot.caption, shot.reading, world);
    }
  });
  return shots;
}

}  // namespace plumb::shapes
