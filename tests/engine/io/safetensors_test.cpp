#include "engine/io/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "engine/error.h"
#include "tests/engine/io/safetensors_golden.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::TempDir;

namespace {

std::string file_bytes(std::string_view header, std::string_view data) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + std::string(header) + std::string(data);
}

template <class T>
Tensor tensor_of(const std::vector<T>& values, const Shape& shape) {
  return from_vector(values, shape);
}

}  // namespace

TEST_CASE("safetensors: a file of the reference implementation is read, and written with the same bytes") {
  const TempDir dir;
  const std::string bytes(reinterpret_cast<const char*>(golden::safetensors_file), sizeof golden::safetensors_file);
  write_file_atomic(dir / "f", bytes);
  const TensorMap tensors = load_safetensors(dir / "f");
  CHECK(tensors.size() == 6);
  CHECK(tensors.find("double")->second.shape().rank() == 0);
  CHECK(tensors.find("double")->second.item() == 2.5);
  CHECK(tensors.find("a")->second.to_vector<float>() == std::vector<float>{1.0f / 3});
  const std::vector<float> b = tensors.find("b")->second.to_vector<float>();
  CHECK(tensors.find("b")->second.shape() == Shape{2, 3});
  CHECK(b[0] == 1.5f);
  CHECK(b[2] == INFINITY);
  CHECK(std::isnan(b[4]));
  CHECK(tensors.find("half/é")->second.dtype() == DType::f16);
  CHECK(tensors.find("half/é")->second.to_vector<float>() == std::vector<float>{1, 65504});
  CHECK(tensors.find("mask")->second.dtype() == DType::boolean);
  CHECK(tensors.find("mask")->second.to_vector<int64_t>() == std::vector<int64_t>{1, 0, 1});
  CHECK(tensors.find("none")->second.shape() == Shape{0, 4});
  CHECK(SafetensorsFile(dir / "f").header().metadata() == Metadata{{"format", "pt"}});
  save_safetensors(dir / "g", tensors);
  CHECK(read_file(dir / "g") == bytes);
}

TEST_CASE("safetensors: every dtype survives, bit for bit") {
  const TempDir dir;
  TensorMap tensors;
  for (DType dtype :
       {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::u8, DType::boolean})
    tensors[name_of(dtype)] = arange(0, 6).to(dtype);
  tensors["nan"] = full({2}, NAN);
  save_safetensors(dir / "f", tensors);
  for (const auto& [name, tensor] : load_safetensors(dir / "f")) {
    CAPTURE(name);
    const Tensor& original = tensors.at(name);
    CHECK(tensor.dtype() == original.dtype());
    CHECK(tensor.shape() == original.shape());
    const size_t bytes = size_t(original.numel() * size_of(original.dtype()));
    CHECK(std::memcmp(tensor.raw_data(), original.raw_data(), bytes) == 0);
  }
}

TEST_CASE("safetensors: views are written in logical order") {
  const TempDir dir;
  const Tensor matrix = tensor_of<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor transposed = matrix.view_as({3, 2}, {1, 3}, 0);
  save_safetensors(dir / "f", {{"t", transposed}, {"row", matrix.view_as({3}, {1}, 3)}});
  const TensorMap loaded = load_safetensors(dir / "f");
  CHECK(loaded.at("t").to_vector<float>() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(loaded.at("row").to_vector<float>() == std::vector<float>{4, 5, 6});
}

TEST_CASE("safetensors: the header ends on a multiple of 8 and data lies by element size, then name") {
  const TempDir dir;
  for (const std::string name : {"a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"}) {
    save_safetensors(dir / "f", {{name, zeros({1}, DType::u8)}, {"x", zeros({1}, DType::f64)}, {"w", zeros({1})}});
    const SafetensorsFile file(dir / "f");
    const SafetensorsHeader& header = file.header();
    const size_t x = header.find("x"), w = header.find("w"), u = header.find(name);
    CHECK(header.begin(x) % 8 == 0);
    CHECK(header.end(x) == header.begin(w));
    CHECK(header.end(w) == header.begin(u));
  }
  save_safetensors(dir / "f", {}, {});
  CHECK(read_file(dir / "f") == file_bytes("{}      ", ""));
  CHECK(load_safetensors(dir / "f").empty());
}

TEST_CASE("safetensors: a tensor lives on after its file object, and writing to it leaves the file alone") {
  const TempDir dir;
  save_safetensors(dir / "f", {{"x", tensor_of<float>({1, 2, 3}, {3})}, {"y", tensor_of<float>({4}, {1})}});
  Tensor x, y;
  {
    const SafetensorsFile file(dir / "f");
    x = file.tensor("x");
    y = file.tensor("y");
  }
  x.add_(x);
  CHECK(x.to_vector<float>() == std::vector<float>{2, 4, 6});
  CHECK(y.version() != x.version());
  save_safetensors(dir / "f", {{"other", tensor_of<float>({9}, {1})}});
  CHECK(x.to_vector<float>() == std::vector<float>{2, 4, 6});
  CHECK(y.item() == 4);
  x = Tensor();
  CHECK(y.item() == 4);
}

TEST_CASE("safetensors: unaligned tensors are read by copying") {
  const TempDir dir;
  const double values[2] = {1.25, -7.5};
  const std::string data = "x" + std::string(reinterpret_cast<const char*>(values), 16);
  for (const char* padding : {"", " ", "  ", "   ", "    ", "     ", "      ", "       "}) {
    const std::string header = R"({"pad":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                               R"("d":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}})";
    write_file_atomic(dir / "f", file_bytes(header + padding, data));
    const Tensor d = SafetensorsFile(dir / "f").tensor("d");
    CHECK(reinterpret_cast<uintptr_t>(d.raw_data()) % 8 == 0);
    CHECK(d.to_vector<double>() == std::vector<double>{1.25, -7.5});
  }
}

TEST_CASE("safetensors: names can be anything but __metadata__ and NUL, and are never paths") {
  const TempDir dir;
  TensorMap tensors;
  for (const char* name :
       {"", "../x", "/etc/passwd", "a b", "日本語", "\"quoted\"\\", "line\nbreak", "__metadata", "\x01"})
    tensors[name] = scalar(double(tensors.size()));
  save_safetensors(dir / "f", tensors, {{"key \"1\"", "value\n"}});
  const TensorMap loaded = load_safetensors(dir / "f");
  CHECK(loaded.size() == tensors.size());
  for (const auto& [name, tensor] : tensors) CHECK(loaded.at(name).item() == tensor.item());
  CHECK(SafetensorsFile(dir / "f").header().metadata().at("key \"1\"") == "value\n");
  CHECK(dir.entries() == 1);
}

TEST_CASE("safetensors: what cannot be written is refused and leaves nothing behind") {
  const TempDir dir;
  const Tensor x = zeros({1});
  CHECK_THROWS_WITH_AS(save_safetensors(dir / "f", {{"x", Tensor()}}), "safetensors: tensor \"x\" must be defined",
                       ValueError);
  CHECK_THROWS_AS(save_safetensors(dir / "f", {{"__metadata__", x}}), ValueError);
  CHECK_THROWS_AS(save_safetensors(dir / "f", {{std::string("a\0b", 3), x}}), ValueError);
  CHECK_THROWS_AS(save_safetensors(dir / "f", {{"\xff", x}}), ValueError);
  CHECK_THROWS_AS(save_safetensors(dir / "f", {{"x", x}}, {{"k", "\xff"}}), ValueError);
  CHECK_THROWS_AS(save_safetensors(dir / "none/f", {{"x", x}}), IoError);
  CHECK(dir.entries() == 0);
}

TEST_CASE("safetensors: asking for what is not there says so") {
  const TempDir dir;
  save_safetensors(dir / "f", {{"x", zeros({1})}});
  const SafetensorsFile file(dir / "f");
  CHECK(file.contains("x"));
  CHECK_FALSE(file.contains("X"));
  CHECK_THROWS_WITH_AS(file.tensor("y"),
                       ("safetensors: file has no tensor \"y\" (1 tensors); " + (dir / "f").string()).c_str(), IoError);
  CHECK_THROWS_AS(file.tensor(1), IndexError);
  CHECK_THROWS_AS(SafetensorsFile(dir / "none"), IoError);
}
