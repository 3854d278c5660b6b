#pragma once

#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "engine/tensor.h"
#include "nn/data/picture_dataset.h"
#include "nn/data/picture_transform.h"

namespace plumb {

/// What a picture was before it was resized and cropped: SDXL is told.
struct PictureOrigin {
  int64_t height = 0, width = 0;  ///< as it was stored, upright
  int64_t top = 0, left = 0;      ///< of the crop, after resizing
};

/// The pictures of one batch.
struct PictureBatch {
  Tensor pixels;                 ///< f32 [N, channels, resolution, resolution] in [-1, 1], on the CPU
  std::vector<int64_t> samples;  ///< their numbers in the data set
  std::vector<PictureCrop> crops;
  std::vector<PictureOrigin> origins;
};

struct PictureLoaderOptions {
  int64_t workers = 2;                  ///< batches that are made ahead, each on a thread of its own; 0: none
  uint64_t memory = uint64_t(2) << 30;  ///< bytes of resized pictures that are kept from epoch to epoch
};

/// Reads, resizes and crops the batches of a run ahead of the step that needs them. What comes out depends on data,
/// transform, key and the batch's number alone: not on the number of workers, nor on what was asked for before.
class PictureLoader {
 public:
  /// Which samples batch `b` holds, and the key of its first row (key.sample0 counts up from row to row).
  struct Plan {
    std::vector<int64_t> samples;
    RandomKey key;
  };
  using PlanOf = std::function<Plan(int64_t batch)>;

  /// `dataset` must outlive it; `plan_of` is called on the caller's thread. Throws ValueError for an impossible
  /// transform.
  PictureLoader(const PictureDataset& dataset, const PictureTransform& transform, PlanOf plan_of,
                const PictureLoaderOptions& options = {});
  ~PictureLoader();

  /// Batch `batch`, and starts on those that follow. Throws IoError naming the picture that cannot be read.
  PictureBatch at(int64_t batch);

 private:
  struct Shared;
  struct Made {
    std::vector<float> pixels;
    std::vector<PictureCrop> crops;
    std::vector<PictureOrigin> origins;
  };
  struct Coming {
    int64_t batch;
    std::vector<int64_t> samples;
    std::future<Made> made;
  };

  Coming start(int64_t batch, std::launch how);
  static Made make(Shared& shared, const Plan& plan);

  PlanOf plan_of_;
  int64_t workers_;
  std::shared_ptr<Shared> shared_;
  std::deque<Coming> coming_;
};

}  // namespace plumb
