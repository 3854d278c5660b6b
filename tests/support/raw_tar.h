#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace plumb::test {

/// Tar files built block by block.

/// A header block with its checksum.
inline std::string tar_header(std::string_view name, size_t size, char type = '0') {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  block.replace(100, 8, std::string_view("0000644\0", 8));
  char octal[13];
  std::snprintf(octal, sizeof octal, "%011zo", size);
  block.replace(124, 12, std::string_view(octal, 12));
  block[156] = type;
  block.replace(257, 8, std::string_view("ustar\00000", 8));
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  std::snprintf(octal, sizeof octal, "%06o", sum);
  block.replace(148, 7, std::string_view(octal, 7));
  return block;
}

/// A member with its bytes, padded.
inline std::string tar_member(std::string_view name, std::string_view bytes, char type = '0') {
  return tar_header(name, bytes.size(), type) + std::string(bytes) +
         std::string((512 - bytes.size() % 512) % 512, '\0');
}

inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace plumb::test
