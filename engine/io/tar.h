#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace plumb {

/// A regular file inside a tar file.
struct TarMember {
  std::string name;
  uint64_t begin = 0;  ///< of its bytes in the tar file (read_range in file.h)
  uint64_t size = 0;
};

/// The regular files of an uncompressed tar, in its order: ustar with the long names, large sizes and other extended
/// headers of POSIX (pax) and GNU. Folders, links and devices are passed over. Only headers are read.
/// Throws IoError naming file and byte for anything broken: checksums, sizes past the end, a missing end inside a
/// member; for sparse members; and for a compressed file.
std::vector<TarMember> list_tar(const std::filesystem::path& path);

}  // namespace plumb
