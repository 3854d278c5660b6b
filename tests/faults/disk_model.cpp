#include "tests/faults/disk_model.h"

#include <fstream>
#include <stdexcept>

#include "engine/io/file.h"
#include "engine/random/random_key.h"

namespace plumb::test {
namespace {

namespace fs = std::filesystem;

void write_at(std::string& content, size_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

}  // namespace

DiskModel::DiskModel(const fs::path& folder) : root_(folder.string()) { read_folder(folder); }

size_t DiskModel::read_folder(const fs::path& folder) {
  const size_t node = nodes_.size();
  nodes_.push_back({.is_folder = true});
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    size_t child = nodes_.size();
    if (entry.is_directory()) {
      child = read_folder(entry.path());
    } else {
      nodes_.push_back({});
      nodes_[child].live = nodes_[child].durable = read_file(entry.path());
    }
    nodes_[node].names[entry.path().filename().string()] = child;
  }
  nodes_[node].durable_names = nodes_[node].names;
  return node;
}

DiskModel::Place DiskModel::place_of(const std::string& path) const {
  if (!path.starts_with(root_ + "/")) throw std::logic_error("not in the folder: " + path);
  Place place{0, path.substr(root_.size() + 1)};
  for (size_t slash; (slash = place.name.find('/')) != std::string::npos; place.name.erase(0, slash + 1))
    place.folder = nodes_[place.folder].names.at(place.name.substr(0, slash));
  return place;
}

size_t DiskModel::node_of(const std::string& path) const {
  if (path == root_) return 0;
  const Place place = place_of(path);
  return nodes_[place.folder].names.at(place.name);
}

void DiskModel::change(size_t folder, const Change& made) {
  Node& node = nodes_[folder];
  if (!made.removed.empty()) node.names.erase(made.removed);
  if (!made.added.empty()) node.names[made.added] = made.node;
  node.changes.push_back(made);
}

void DiskModel::apply(const IoCall& call) {
  switch (call.kind) {
    case IoKind::open: {
      if (!call.creates) break;
      const Place place = place_of(call.path);
      if (nodes_[place.folder].names.contains(place.name)) break;
      nodes_.push_back({});
      change(place.folder, {{}, place.name, nodes_.size() - 1});
      break;
    }
    case IoKind::make_folder: {
      const Place place = place_of(call.path);
      nodes_.push_back({.is_folder = true});
      change(place.folder, {{}, place.name, nodes_.size() - 1});
      break;
    }
    case IoKind::write: {
      Node& node = nodes_[node_of(call.path)];
      write_at(node.live, size_t(call.offset), call.bytes);
      node.writes.push_back({size_t(call.offset), call.bytes});
      break;
    }
    case IoKind::sync: {
      Node& node = nodes_[node_of(call.path)];
      node.durable = node.live;
      node.writes.clear();
      node.durable_names = node.names;
      node.changes.clear();
      break;
    }
    case IoKind::rename: {
      const Place from = place_of(call.path), to = place_of(call.to);
      if (from.folder != to.folder) throw std::logic_error("a rename between folders: " + call.path);
      change(from.folder, {from.name, to.name, nodes_[from.folder].names.at(from.name)});
      break;
    }
    case IoKind::remove: {
      const Place place = place_of(call.path);
      change(place.folder, {place.name, {}, 0});
      break;
    }
    case IoKind::truncate:
      throw std::logic_error("a truncated file: " + call.path);
    case IoKind::read:
    case IoKind::close:
    case IoKind::map:
    case IoKind::list:
    case IoKind::status:
    case IoKind::lock:
      break;
  }
}

void DiskModel::image(size_t index, const std::string& prefix, Loss loss, uint64_t& draw,
                      std::map<std::string, std::string>& files) const {
  const auto next = [&] { return draw = mix64(draw + 1); };
  const Node& node = nodes_[index];
  if (!node.is_folder) {
    std::string content = node.durable;
    for (const Write& write : node.writes) {
      const uint64_t fate = next() % 4;
      const bool whole = loss == Loss::nothing || loss == Loss::names || (loss == Loss::some && fate < 2);
      const bool torn = loss == Loss::some && fate == 2;
      if (whole || torn)
        write_at(
            content, write.offset,
            std::string_view(write.bytes).substr(0, whole ? write.bytes.size() : next() % (write.bytes.size() + 1)));
    }
    files[prefix] = content;
    return;
  }
  files[prefix + "/"] = "";
  std::map<std::string, size_t> names = node.durable_names;
  for (const Change& change : node.changes) {
    if (loss == Loss::all || loss == Loss::names || (loss == Loss::some && next() % 2 == 0)) continue;
    if (!change.removed.empty()) names.erase(change.removed);
    if (!change.added.empty()) names[change.added] = change.node;
  }
  for (const auto& [name, child] : names) image(child, prefix.empty() ? name : prefix + "/" + name, loss, draw, files);
}

std::map<std::string, std::string> DiskModel::after_power_cut(Loss loss, uint64_t draw) const {
  std::map<std::string, std::string> files;
  image(0, "", loss, draw, files);
  files.erase("/");
  return files;
}

void write_image(const fs::path& folder, const std::map<std::string, std::string>& files) {
  for (const auto& [name, content] : files) {
    if (name.ends_with('/')) {
      fs::create_directories(folder / name);
    } else {
      fs::create_directories((folder / name).parent_path());
      std::ofstream(folder / name, std::ios::binary) << content;
    }
  }
}

}  // namespace plumb::test
