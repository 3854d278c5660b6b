#pragma once

#include <memory>
#include <optional>
#include <string>

#include "align/data/preference_dataset.h"
#include "align/eval/preference_accuracy.h"
#include "apps/align/pictures/pair_reader.h"
#include "diffusion/pipeline/pipeline.h"
#include "engine/io/json.h"
#include "nn/metrics/cluster_bootstrap.h"

namespace plumb {

/// What `plumb eval --pairs` works on.
struct PreferenceEvalSettings {
  std::string model = {}, reference = {}, pairs = {};
  std::optional<int64_t> num_pairs = {}, resolution = {};  ///< all; the model's own
  int64_t bins = 10, timesteps = 1;                        ///< intervals of t, and timesteps looked at in each
  int64_t batch_size = 32, seed = 0;
  bool quiet = false;
  Device device = kCpu;
  BootstrapOptions bootstrap = {};
};

/// Held-out preference accuracy by timestep, of models of pictures.
class PreferenceEval {
 public:
  /// Reads models and data, and refuses what does not fit, without writing anything. Throws UsageError, IoError,
  /// ValueError.
  explicit PreferenceEval(const PreferenceEvalSettings& settings);

  /// "preference" of metrics.json (docs/eval.md). `cache`: a folder for what encoders make of prompts and pictures.
  Json measure(const std::string& cache);

 private:
  PairReaderOptions reading() const;
  /// Margins of every pair at every timestep, [pairs, timesteps].
  std::vector<double> margins(const std::vector<int64_t>& timesteps);
  Json report(const std::vector<int64_t>& timesteps, const std::vector<double>& margins) const;

  PreferenceEvalSettings settings_;
  PreferenceDataset data_;
  Pipeline model_;
  std::optional<Pipeline> reference_;
  NoiseSchedule schedule_;
  RandomKey key_;
  std::unique_ptr<PairReader> reader_, reference_reader_;
};

/// Its table.
std::string format_preference(const Json& preference);

}  // namespace plumb
