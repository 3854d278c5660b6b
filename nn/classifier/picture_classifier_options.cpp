#include "nn/classifier/picture_classifier_options.h"

#include <set>

#include "engine/format.h"
#include "engine/require.h"
#include "nn/config_fields.h"

namespace plumb {

template <>
struct ConfigValue<ClassifierHead> {
  static ClassifierHead read(const Json& from) {
    ClassifierHead head{from.at("name").as_string(), ConfigValue<std::vector<std::string>>::read(from.at("classes"))};
    require<ValueError>(from.size() == 2, "a head has a name and classes (\"{}\" has {} keys)", head.name, from.size());
    return head;
  }
  static Json write(const ClassifierHead& head) {
    return Json::object()
        .set("name", head.name)
        .set("classes", Json(Json::Array(head.classes.begin(), head.classes.end())));
  }
};

namespace {

constexpr const char* kClass = "PictureClassifier";

/// Calls use(key, member) for every option.
template <class F>
void for_each_option(PictureClassifierOptions& o, F use) {
  use("in_channels", o.in_channels);
  use("image_size", o.image_size);
  use("block_out_channels", o.block_out_channels);
  use("norm_num_groups", o.norm_num_groups);
  use("feature_dim", o.feature_dim);
  use("heads", o.heads);
}

}  // namespace

int64_t PictureClassifierOptions::outputs() const {
  int64_t count = 0;
  for (const ClassifierHead& head : heads) count += int64_t(head.classes.size());
  return count;
}

int64_t PictureClassifierOptions::last_size() const {
  int64_t size = image_size;
  for (size_t i = 0; i < block_out_channels.size(); ++i) size = (size + 1) / 2;
  return size;
}

void PictureClassifierOptions::check() const {
  for (const auto& [key, value] : {std::pair{"in_channels", in_channels},
                                   {"image_size", image_size},
                                   {"norm_num_groups", norm_num_groups},
                                   {"feature_dim", feature_dim}})
    require<ValueError>(value > 0 && value <= 65536, "{} config: {} must be between 1 and 65536 ({})", kClass, key,
                        value);
  require<ValueError>(!block_out_channels.empty(), "{} config: block_out_channels must not be empty", kClass);
  for (int64_t channels : block_out_channels)
    require<ValueError>(channels > 0 && channels <= 65536 && channels % norm_num_groups == 0,
                        "{} config: block_out_channels must be multiples of norm_num_groups, {} ({})", kClass,
                        norm_num_groups, channels);
  require<ValueError>(!heads.empty(), "{} config: heads must not be empty", kClass);
  std::set<std::string> names;
  for (const ClassifierHead& head : heads) {
    require<ValueError>(names.insert(head.name).second, "{} config: heads must have different names (\"{}\" twice)",
                        kClass, head.name);
    require<ValueError>(head.classes.size() > 1, "{} config: head \"{}\" must have two classes ({})", kClass, head.name,
                        head.classes.size());
  }
}

PictureClassifierOptions picture_classifier_options(const Json& config) {
  PictureClassifierOptions options;
  read_config(kClass, config, {}, options, [](auto& o, auto use) { for_each_option(o, use); });
  return options;
}

Json config_of(const PictureClassifierOptions& options) {
  return write_config(kClass, options, [](auto& o, auto use) { for_each_option(o, use); });
}

}  // namespace plumb
