#include "apps/sample/draw_points.h"

#include <map>

#include "engine/format.h"

namespace plumb {

plot::Figure draw_points(const Tensor& points, const Tensor& labels, const std::string& title,
                         const std::string& caption) {
  const Tensor dense = points.contiguous();
  const float* at = dense.data<float>();
  const std::vector<int64_t> classes = labels.defined() ? labels.to_vector<int64_t>() : std::vector<int64_t>{};
  std::map<int64_t, plot::Scatter> clouds;
  for (int64_t i = 0; i < points.size(0); ++i) {
    const int64_t label = classes.empty() ? 0 : classes[size_t(i)];
    clouds[label].points.push_back({at[i * points.size(1)], at[i * points.size(1) + 1]});
  }
  plot::Figure figure;
  figure.columns = 1;
  figure.panel_width = figure.panel_height = 420;
  plot::Panel& panel = figure.add(title, caption);
  panel.equal = true;
  constexpr size_t kMostNamed = 12;  // the palette has no more colours
  for (auto& [label, cloud] : clouds) {
    cloud.color = plot::class_color(size_t(label));
    if (!classes.empty() && clouds.size() <= kMostNamed)
      figure.legend.emplace_back(fmt::format("class {}", label), cloud.color);
    panel.add(std::move(cloud));
  }
  return figure;
}

}  // namespace plumb
