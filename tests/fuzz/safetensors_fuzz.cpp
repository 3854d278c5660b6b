#include <cstring>

#include "engine/error.h"
#include "engine/io/safetensors_header.h"
#include "tests/fuzz/check.h"

// Structure-aware: the first byte chooses between the input as it is and a file whose length field is made right, with
// as many data bytes as the next two say, so that mutations reach the checks behind the length.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  std::vector<uint8_t> file;
  if (data[0] & 1) {
    file.assign(data + 1, data + size);
  } else {
    const size_t data_bytes = size_t(data[1]) | size_t(data[2] & 15) << 8;
    const uint64_t header_bytes = size - 3;
    file.resize(8);
    std::memcpy(file.data(), &header_bytes, 8);
    file.insert(file.end(), data + 3, data + size);
    file.resize(file.size() + data_bytes);
  }
  try {
    const plumb::SafetensorsHeader header = plumb::SafetensorsHeader::parse(file, "fuzz");
    uint64_t covered = 0;
    for (size_t i = 0; i < header.size(); ++i) {
      const uint64_t bytes = uint64_t(plumb::numel(header.shape(i)) * plumb::size_of(header.dtype(i)));
      check(header.begin(i) <= header.end(i) && header.end(i) <= file.size());
      check(header.end(i) - header.begin(i) == bytes);
      check(header.find(header.name(i)) == i);
      covered += bytes;
    }
    if (header.size() > 0) check(covered + 8 < file.size() + 1);
  } catch (const plumb::IoError&) {
  }
  return 0;
}
