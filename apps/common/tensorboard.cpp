#include "apps/common/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>

// Written by hand: the format is six protobuf fields in TFRecord frames, and protobuf is a heavy dependency for that.
//   Event:   1 wall_time (double), 2 step (varint), 3 file_version (string), 5 summary (message)
//   Summary: 1 value (message, repeated); Value: 1 tag (string), 2 simple_value (float)

namespace plumb {
namespace {

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0x82f63b78u : value >> 1;
    table[i] = value;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrcTable = make_crc_table();

uint32_t masked_crc(std::string_view bytes) {
  uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

template <class T>
void append_little_endian(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

// Field numbers below 16 take one byte with the wire type: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
void append_key(std::string& out, int field, int wire_type) { out += static_cast<char>(field << 3 | wire_type); }

void append_bytes(std::string& out, int field, std::string_view bytes) {
  append_key(out, field, 2);
  append_varint(out, bytes.size());
  out += bytes;
}

std::string event_head(double wall_time) {
  std::string event;
  append_key(event, 1, 1);
  append_little_endian(event, std::bit_cast<uint64_t>(wall_time));
  return event;
}

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (char c : bytes) crc = kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ crc >> 8;
  return ~crc;
}

std::string tf_record(std::string_view data) {
  std::string record;
  append_little_endian(record, static_cast<uint64_t>(data.size()));
  append_little_endian(record, masked_crc(record));
  record += data;
  append_little_endian(record, masked_crc(data));
  return record;
}

std::string scalar_event(double wall_time, int64_t step, const NamedValues& values) {
  std::string summary;
  for (const auto& [tag, value] : values) {
    std::string item;
    append_bytes(item, 1, tag);
    append_key(item, 2, 5);
    append_little_endian(item, std::bit_cast<uint32_t>(static_cast<float>(value)));
    append_bytes(summary, 1, item);
  }
  std::string event = event_head(wall_time);
  append_key(event, 2, 0);
  append_varint(event, static_cast<uint64_t>(step));
  append_bytes(event, 5, summary);
  return event;
}

TensorBoardWriter::TensorBoardWriter(const std::string& directory)
    : file_(fmt::format("{}/events.out.tfevents.{}.{}.{}", directory, static_cast<int64_t>(seconds_since_epoch()),
                        host_name(), getpid())) {
  std::string event = event_head(seconds_since_epoch());
  append_bytes(event, 3, "brain.Event:2");
  append(event);
}

void TensorBoardWriter::write(int64_t step, const NamedValues& values) {
  append(scalar_event(seconds_since_epoch(), step, values));
}

void TensorBoardWriter::append(const std::string& event) { file_.write(tf_record(event)); }

}  // namespace plumb
