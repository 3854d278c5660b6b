#include "autograd/graph_layout.h"

#include <algorithm>

namespace plumb {
namespace {

constexpr double kGapX = 24, kGapY = 42, kMargin = 20;
constexpr double kBendWidth = 10;  // room an edge takes where it passes a layer
constexpr int kOrderSweeps = 12, kPlaceSweeps = 24;

/// A box, or a bend of a long edge, in a layer.
struct Item {
  int layer = 0;
  double width = kBendWidth, height = 0, x = 0;
  std::vector<int> above, below;  // neighbours in the layers next to it
};

class Drawing {
 public:
  explicit Drawing(const std::vector<GraphBox>& boxes) : boxes_(boxes), items_(boxes.size()) {
    for (size_t i = 0; i < boxes.size(); ++i) items_[i].width = boxes[i].width, items_[i].height = boxes[i].height;
    assign_layers();
    connect();
    for (size_t i = 0; i < items_.size(); ++i) layer_of(items_[i]).push_back(int(i));
    for (int sweep = 0; sweep < kOrderSweeps; ++sweep) order(sweep % 2 == 0);
    for (int sweep = 0; sweep < kPlaceSweeps; ++sweep) place();
  }

  GraphLayout result() {
    double left = 0, right = 0;
    for (const Item& item : items_) {
      left = std::min(left, item.x - item.width / 2);
      right = std::max(right, item.x + item.width / 2);
    }
    middles_.resize(layers_.size());
    double bottom = kMargin - kGapY;
    for (size_t layer = layers_.size(); layer-- > 0;) {
      double height = 0;
      for (int i : layers_[layer]) height = std::max(height, items_[size_t(i)].height);
      middles_[layer] = bottom + kGapY + height / 2;
      bottom += kGapY + height;
    }
    for (Item& item : items_) item.x += kMargin - left;

    GraphLayout layout;
    layout.width = right - left + 2 * kMargin;
    layout.height = bottom + kMargin;
    for (size_t i = 0; i < boxes_.size(); ++i) layout.centers.push_back(center(int(i)));
    for (const std::vector<int>& path : paths_) layout.edges.push_back(edge(path));
    return layout;
  }

 private:
  std::vector<int>& layer_of(const Item& item) {
    if (layers_.size() <= size_t(item.layer)) layers_.resize(size_t(item.layer) + 1);
    return layers_[size_t(item.layer)];
  }

  /// Layer 0 at the bottom. Boxes are listed inputs first, so going backwards every user is done before its inputs.
  void assign_layers() {
    for (size_t i = boxes_.size(); i-- > 0;)
      for (int input : boxes_[i].inputs)
        items_[size_t(input)].layer = std::max(items_[size_t(input)].layer, items_[i].layer + 1);
  }

  void connect() {
    for (size_t i = 0; i < boxes_.size(); ++i)
      for (int input : boxes_[i].inputs) {
        std::vector<int> path{input};
        for (int layer = items_[size_t(input)].layer - 1; layer > items_[i].layer; --layer) {
          path.push_back(int(items_.size()));
          items_.emplace_back().layer = layer;
        }
        path.push_back(int(i));
        for (size_t k = 0; k + 1 < path.size(); ++k) {
          items_[size_t(path[k])].below.push_back(path[k + 1]);
          items_[size_t(path[k + 1])].above.push_back(path[k]);
        }
        paths_.push_back(std::move(path));
      }
  }

  /// Sorts each layer by the mean rank of its neighbours in the layer done before.
  void order(bool upwards) {
    std::vector<double> rank(items_.size());
    const auto number = [&](const std::vector<int>& layer) {
      for (size_t k = 0; k < layer.size(); ++k) rank[size_t(layer[k])] = double(k);
    };
    for (const std::vector<int>& layer : layers_) number(layer);
    for (size_t k = 0; k < layers_.size(); ++k) {
      std::vector<int>& layer = layers_[upwards ? k : layers_.size() - 1 - k];
      std::vector<double> wanted(items_.size());
      for (int i : layer) {
        const std::vector<int>& neighbours = upwards ? items_[size_t(i)].below : items_[size_t(i)].above;
        double sum = 0;
        for (int n : neighbours) sum += rank[size_t(n)];
        wanted[size_t(i)] = neighbours.empty() ? rank[size_t(i)] : sum / double(neighbours.size());
      }
      std::stable_sort(layer.begin(), layer.end(), [&](int a, int b) { return wanted[size_t(a)] < wanted[size_t(b)]; });
      number(layer);
    }
  }

  /// Every item wants to be at the mean of its neighbours; in a layer the order and the gaps are kept at least cost in
  /// squared distance (pool adjacent violators).
  void place() {
    for (std::vector<int>& layer : layers_) {
      struct Block {
        double sum;
        int count;
        double mean() const { return sum / count; }
      };
      std::vector<Block> blocks;
      std::vector<double> offsets;  // of each item from the first when packed tightly
      double offset = 0;
      for (size_t k = 0; k < layer.size(); ++k) {
        const Item& item = items_[size_t(layer[k])];
        if (k > 0) offset += items_[size_t(layer[k - 1])].width / 2 + kGapX + item.width / 2;
        offsets.push_back(offset);
        blocks.push_back({wish(item) - offset, 1});
        while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() >= blocks.back().mean()) {
          blocks[blocks.size() - 2].sum += blocks.back().sum;
          blocks[blocks.size() - 2].count += blocks.back().count;
          blocks.pop_back();
        }
      }
      size_t k = 0;
      for (const Block& block : blocks)
        for (int n = 0; n < block.count; ++n, ++k) items_[size_t(layer[k])].x = block.mean() + offsets[k];
    }
  }

  double wish(const Item& item) const {
    double sum = 0;
    for (int n : item.above) sum += items_[size_t(n)].x;
    for (int n : item.below) sum += items_[size_t(n)].x;
    const size_t count = item.above.size() + item.below.size();
    return count == 0 ? item.x : sum / double(count);
  }

  GraphPoint center(int item) const { return {items_[size_t(item)].x, middles_[size_t(items_[size_t(item)].layer)]}; }

  GraphEdge edge(const std::vector<int>& path) const {
    GraphEdge edge{path.front(), path.back(), {}};
    for (int item : path) edge.points.push_back(center(item));
    edge.points.front().y += items_[size_t(path.front())].height / 2;
    edge.points.back().y -= items_[size_t(path.back())].height / 2;
    return edge;
  }

  const std::vector<GraphBox>& boxes_;
  std::vector<Item> items_;               // boxes first, then bends
  std::vector<std::vector<int>> layers_;  // items from left to right
  std::vector<std::vector<int>> paths_;   // an edge as the items it goes through
  std::vector<double> middles_;           // y of each layer
};

}  // namespace

GraphLayout lay_out_graph(const std::vector<GraphBox>& boxes) {
  if (boxes.empty()) return {{}, {}, 2 * kMargin, 2 * kMargin};
  return Drawing(boxes).result();
}

}  // namespace plumb
