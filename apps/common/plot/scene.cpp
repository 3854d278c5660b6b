#include "apps/common/plot/scene.h"

#include <utility>

namespace plumb::plot {
namespace {

// The variant is built in place: GCC 12 takes a moved one for uninitialised.
template <class Shape>
void append(Scene& scene, Shape&& shape, int clip) {
  SceneItem& item = scene.items.emplace_back();
  item.clip = clip;
  item.shape.emplace<std::decay_t<Shape>>(std::forward<Shape>(shape));
}

}  // namespace

void Scene::add(Dots dots, int clip) { append(*this, std::move(dots), clip); }
void Scene::add(Strokes strokes, int clip) { append(*this, std::move(strokes), clip); }
void Scene::add(Area area, int clip) { append(*this, std::move(area), clip); }
void Scene::add(Cells cells, int clip) { append(*this, std::move(cells), clip); }
void Scene::add(Label label, int clip) { append(*this, std::move(label), clip); }

}  // namespace plumb::plot
