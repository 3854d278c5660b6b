#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/random/random_key.h"
#include "engine/tensor.h"
#include "nn/data/picture_dataset.h"

namespace plumb {

/// One preference: a winner, mostly a loser, and the prompt both were made for.
struct PreferenceSample {
  std::string id = {};
  std::string prompt = {};
  std::vector<std::string> negatives = {};  ///< degraded versions c- of the prompt; empty when the data hold none
  PictureSource winner = {};
  PictureSource loser = {};  ///< file empty: there is none
  int label = 0;             ///< 0 a pair; +1 or -1: `winner` is an unpaired sample that is liked or not (KTO)

  bool has_loser() const { return !loser.file.empty(); }
};

/// Preferences in an order that depends on the data alone. Nothing is decoded yet.
struct PreferenceDataset {
  std::string layout = {};  ///< plumb pairs, imagefolder pairs, pick-a-pic, kto
  std::vector<PreferenceSample> samples = {};
  bool latents = false;                   ///< sources are safetensors files (read_latents) rather than pictures
  int64_t ties = 0;                       ///< pairs without a winner, left out
  std::vector<std::string> skipped = {};  ///< what was wrong with each row left out (skip_broken)

  bool has_losers() const;     ///< of every sample
  bool has_negatives() const;  ///< of every sample
  bool is_unpaired() const;    ///< labels are +1 and -1
};

struct PreferenceDatasetOptions {
  std::string split = "train";  ///< subfolder that is taken when there is one
  /// What a row that cannot be used does: it is left out and counted, or (false) ends the reading.
  bool skip_broken = false;
};

/// Reads what lies at `path`, told by looking at the columns of its metadata.jsonl or metadata.csv (which may also be
/// named itself):
///   plumb pairs        pos_file, and neg_file, prompt, id, neg_prompt or neg_prompts; what `plumb pairs` writes.
///                      Files are PNG or JPEG, or all safetensors with "latents"; they may lie in a folder beside
///   imagefolder pairs  prompt, chosen, rejected: names of pictures (also chosen_file_name, rejected_file_name, as
///                      Hugging Face datasets call columns of pictures)
///   kto                file_path (image, image_path, file_name), caption (prompt, text), label: 1, 0, true, false, or
///                      exclusive_win, exclusive_lose            [Diffusion-KTO's train_processed_v3.csv; its pictures
///                      may lie in the folder `split` beside it]
///   pick-a-pic         jpg_0, jpg_1, caption (original_prompt, prompt, text), label_0: 1 where the first is better, 0
///                      where it is not, 0.5 for a tie. Mostly a .tar, a folder of them, or a pattern
///                      NAME-{000..099}.tar, whose samples are members KEY.jpg_0 (or KEY.jpg_0.jpg, png_0), KEY.jpg_1,
///                      KEY.label_0.txt, KEY.caption.txt or KEY.txt; texts may be keys of KEY.json instead
/// Names are relative to the metadata's folder. Throws IoError naming file and line (or sample) and saying what to do:
/// a missing winner or picture, an empty file, one file as both winner and loser, an id given twice, a label that is
/// none, rows of unlike kinds, no usable row at all.
PreferenceDataset read_preference_dataset(const std::string& path, const PreferenceDatasetOptions& options = {});

/// Whether read_preference_dataset() would take `path` for preferences: by the columns or members it looks for. A table
/// of pictures with labels is also one of classes: it counts only if its labels are Diffusion-KTO's words.
bool is_preference_dataset(const std::string& path, const PreferenceDatasetOptions& options = {});

/// SHA-256 of ids, prompts, labels, names (without folders), sizes and bytes (of files above 16 KiB their ends): the
/// same data at another place are the same data. Reads the files; throws IoError for those it cannot.
std::string hash_of(const PreferenceDataset& dataset);

/// The latents of a source: f32 [C, h, w], as the network sees them (scaled). Throws IoError for another rank, a type
/// that is not floating, and numbers that are not finite.
Tensor read_latents(const PictureSource& source);

/// Winners, then losers, as one set of pictures for a PictureLoader: sample i is the winner of i, samples.size() + i
/// its loser. Winners alone unless every sample has a loser.
PictureDataset pictures_of(const PreferenceDataset& dataset);

/// The first sample of every prompt, in their order: a set without duplicate prompts (DSPO-nodup, DSPO paper, Table 6).
PreferenceDataset one_sample_a_prompt(PreferenceDataset dataset);

/// Leaves out samples whose winner or loser cannot be decoded, or whose two have other sizes, and says so in `skipped`.
/// Decodes everything, on all threads.
void drop_unreadable(PreferenceDataset& dataset);

/// Where losers come from. The last two need no negative samples (DDSPO paper, Table 3b): the loser of i is the winner
/// of another, uniform among those of other prompts, and
///   rand_positive  c- is that other prompt
///   not_paired     c- stays the degraded version of i's own prompt
enum class LoserSource { paired, rand_positive, not_paired };

/// "paired", "rand_positive", "not_paired". Throws ValueError listing them.
LoserSource loser_source_from_name(std::string_view name);

/// The set with losers from `source`. What i gets depends on the key and i alone. Throws ValueError for a paired set
/// with a sample that has no loser, for unpaired samples, and when there are not two prompts.
PreferenceDataset with_losers(PreferenceDataset dataset, LoserSource source, const RandomKey& key);

}  // namespace plumb
