#include "align/downgrade/downgrade.h"

#include "align/downgrade/blur.h"
#include "align/downgrade/random_grid.h"
#include "align/downgrade/random_image.h"

namespace plumb {

PreferencePairs Downgrade::operator()(const PreferencePairs& batch, const RandomKey& key) const {
  PreferencePairs result = batch;
  switch (options_.kind) {
    case DowngradeKind::random_image:
      result.losers = random_image(batch.winners, key, options_.allow_fixed_points, options_.data_set);
      break;
    case DowngradeKind::blur:
      result.losers = blur(batch.winners);
      break;
    case DowngradeKind::random_grid:
      result.losers = random_grid(batch.winners, key);
      break;
  }
  return result;
}

}  // namespace plumb
