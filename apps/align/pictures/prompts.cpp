#include "apps/align/pictures/prompts.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "apps/common/exit_codes.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The class a prompt names; -1 for none.
int64_t class_of(const std::string& prompt) {
  int64_t value = -1;
  const char* end = prompt.data() + prompt.size();
  const auto [read, error] = std::from_chars(prompt.data(), end, value);
  return error == std::errc() && read == end ? value : -1;
}

}  // namespace

Prompts::Prompts(const PreferenceDataset& data, const Pipeline& pipeline)
    : pipeline_(pipeline),
      text_(pipeline.unet->context_features() > 0),
      classes_(text_ ? 0 : pipeline.unet->classes()),
      texts_{""} {
  require<UsageError>(!text_ || pipeline.text_encoder || pipeline.text_encoder_2,
                      "align: the network looks at text, but the model's folder has no text encoder");
  std::map<std::string, int64_t> numbers = {{"", kEmpty}};
  const auto number_of = [&](const std::string& text) {
    const auto [found, is_new] = numbers.emplace(text, int64_t(texts_.size()));
    if (is_new) texts_.push_back(text);
    return found->second;
  };
  for (const PreferenceSample& sample : data.samples) {
    positive_.push_back(number_of(sample.prompt));
    std::vector<int64_t>& negatives = negatives_.emplace_back();
    for (const std::string& negative : sample.negatives) negatives.push_back(number_of(negative));
  }
  check_classes();
}

void Prompts::check_classes() const {
  if (classes_ == 0) return;
  const auto check = [&](int64_t number) {
    const std::string& text = texts_[size_t(number)];
    const int64_t label = class_of(text);
    require<UsageError>(label >= 0 && label < classes_,
                        "align: the network has classes 0 to {}, which prompts must name (got \"{}\")", classes_ - 1,
                        text);
  };
  std::for_each(positive_.begin(), positive_.end(), check);
  for (const std::vector<int64_t>& negatives : negatives_) std::for_each(negatives.begin(), negatives.end(), check);
}

void Prompts::prepare(const std::string& folder, bool quiet) {
  if (text_) rows_ = std::make_unique<train::TextRows>(folder, pipeline_, texts_, quiet);
}

Condition Prompts::of(const std::vector<int64_t>& numbers) const {
  if (text_) return rows_->of(numbers);
  if (classes_ == 0) return {};
  std::vector<int64_t> labels;
  for (const int64_t number : numbers) labels.push_back(class_of(texts_[size_t(number)]));
  return {.labels = from_vector(labels, {int64_t(labels.size())})};
}

}  // namespace plumb
