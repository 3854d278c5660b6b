#pragma once

#include <string>
#include <string_view>

#include "engine/io/file.h"

namespace plumb {

/// Writes an uncompressed tar (ustar, POSIX.1-1988) that appears complete or not at all. Members have mode 0644 and no
/// owner or time, so the same members give the same bytes.
class TarWriter {
 public:
  explicit TarWriter(const std::string& path) : file_(path) {}

  /// Throws ValueError for a name of no or more than 100 bytes or 8 GiB and more; IoError when it cannot be written.
  void add(std::string_view name, std::string_view bytes);
  void commit();

 private:
  AtomicFile file_;
};

}  // namespace plumb
