#include "apps/shapes/write_tar.h"

#include <algorithm>
#include <array>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr size_t kBlock = 512;

}  // namespace

void TarWriter::add(std::string_view name, std::string_view bytes) {
  constexpr size_t kMostBytes = size_t(1) << 33;  // eleven octal digits
  require<ValueError>(!name.empty() && name.size() <= 100 && bytes.size() < kMostBytes,
                      "tar: a member must have a name of 1 to 100 bytes and less than 8 GiB ({}, {} bytes)", name,
                      bytes.size());
  std::array<char, kBlock> header{};
  const auto put = [&](size_t at, std::string_view text) { std::copy(text.begin(), text.end(), header.data() + at); };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", bytes.size()));
  put(136, "00000000000");
  put(148, "        ");  // the checksum counts as blanks
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += uint8_t(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  file_.write(header.data(), kBlock);
  file_.write(bytes);
  static constexpr std::array<char, kBlock> kZeros{};
  file_.write(kZeros.data(), (kBlock - bytes.size() % kBlock) % kBlock);
}

void TarWriter::commit() {
  const std::array<char, 2 * kBlock> end{};
  file_.write(end.data(), end.size());
  file_.commit();
}

}  // namespace plumb
