#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/io/json.h"
#include "nn/data/picture_dataset.h"

namespace plumb {

/// What reading every picture of a data set showed.
struct PictureFindings {
  std::map<std::pair<int64_t, int64_t>, int64_t> sizes;         ///< pictures of each width and height
  std::vector<std::string> broken;                              ///< the errors, in the order of the data
  std::vector<std::pair<std::string, std::string>> duplicates;  ///< a picture, and an earlier one of the same bytes
};

/// Decodes all pictures, on all threads. The findings do not depend on their number.
PictureFindings check_pictures(const PictureDataset& dataset);

/// Data set and findings as an object: layout, pictures, epoch, bytes, captions {there, empty, distinct, longest},
/// classes [{name, pictures}], sizes [{width, height, pictures}], unused, duplicates, broken.
Json describe_data(const PictureDataset& dataset, const PictureFindings& findings);

/// The same for people; what is smaller than `resolution` is counted.
std::string format_data(const Json& description, int64_t resolution);

}  // namespace plumb
