#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/io/file.h"

namespace plumb {

using NamedValues = std::vector<std::pair<std::string, double>>;

/// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as RFC 3720 B.4 tests it.
uint32_t crc32c(std::string_view bytes);

/// One TFRecord: length, masked CRC of the length, data, masked CRC of the data; little endian.
std::string tf_record(std::string_view data);

/// A serialised tensorflow.Event with one scalar summary a value.
std::string scalar_event(double wall_time, int64_t step, const NamedValues& values);

/// Scalars that `tensorboard --logdir` shows. Each run of a program writes a file of its own; tensorboard joins them.
class TensorBoardWriter {
 public:
  /// Creates DIR/events.out.tfevents.TIME.HOST.PID. Throws IoError.
  explicit TensorBoardWriter(const std::string& directory);

  /// Appends and flushes one event. Values are rounded to float32, which is what the format holds. Throws IoError.
  void write(int64_t step, const NamedValues& values);

 private:
  void append(const std::string& event);

  AppendedFile file_;
};

}  // namespace plumb
