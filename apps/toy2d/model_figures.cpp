#include "apps/toy2d/model_figures.h"

#include "autograd/grad_mode.h"
#include "diffusion/sampler/sampler.h"
#include "engine/format.h"
#include "engine/ops/random/random.h"

namespace plumb::toy2d {
namespace {

struct NamedModel {
  std::string title;
  PointDenoiser* model;
};

/// The reference of the first seed and what Diffusion-DPO and DDSPO made of it.
std::vector<NamedModel> shown_models(const Results& results) {
  std::vector<NamedModel> models{{"Reference model", results.references.front().get()}};
  for (const auto& [name, title] :
       {std::pair{"diffusion_dpo", "Diffusion-DPO"}, std::pair{"ddspo_oracle", "DDSPO, oracle"},
        std::pair{"ddspo_tf", "DDSPO, training-free"}}) {
    const auto found = results.students.find(name);
    if (found != results.students.end()) models.push_back({title, found->second.get()});
  }
  return models;
}

plot::Panel& add_panel(plot::Figure& figure, const std::string& title, double reach, const Tensor& centers) {
  plot::Panel& panel = figure.add(title);
  panel.equal = true;
  panel.x = panel.y = {.low = -reach, .high = reach};
  panel.add(plot::Crosses{.points = center_points(centers)});
  return panel;
}

void add_trajectories(plot::Panel& panel, const std::vector<Tensor>& steps, int64_t per_class) {
  for (int64_t i = 0; i < steps.front().size(0); ++i) {
    plot::Line line{.color = plot::class_color(int(i / per_class)), .width = 1};
    for (const Tensor& x : steps)
      line.points.push_back({double(x.data<float>()[2 * i]), double(x.data<float>()[2 * i + 1])});
    panel.add(plot::Scatter{.points = {line.points.back()}, .color = line.color, .radius = 2.5, .alpha = 1});
    panel.add(std::move(line));
  }
}

/// A square grid of points, f32 [n * n, 2].
Tensor grid(double reach, int64_t n) {
  Tensor points = empty({n * n, 2});
  float* out = points.mutable_data<float>();
  for (int64_t i = 0; i < n * n; ++i) {
    out[2 * i] = float(reach * (2 * double(i % n) / double(n - 1) - 1));
    out[2 * i + 1] = float(reach * (2 * double(i / n) / double(n - 1) - 1));
  }
  return points;
}

void add_arrows(plot::Panel& panel, const Tensor& from, const Tensor& noise) {
  plot::Arrows arrows;
  for (int64_t i = 0; i < from.size(0); ++i) {
    arrows.from.push_back({double(from.data<float>()[2 * i]), double(from.data<float>()[2 * i + 1])});
    arrows.by.push_back({-double(noise.data<float>()[2 * i]), -double(noise.data<float>()[2 * i + 1])});
  }
  panel.add(std::move(arrows));
}

}  // namespace

std::vector<plot::Point> center_points(const Tensor& centers) {
  std::vector<plot::Point> points;
  for (int64_t k = 0; k < centers.size(0); ++k)
    points.push_back({double(centers.data<float>()[2 * k]), double(centers.data<float>()[2 * k + 1])});
  return points;
}

plot::Figure trajectory_figure(const Settings& settings, const Results& results) {
  constexpr int64_t kPerClass = 4;
  const NoiseSchedule schedule(settings.schedule);
  const Tensor labels = labels_by_class(settings.world.classes, kPerClass);
  const RandomKey key = RandomKey{.seed = uint64_t(settings.first_seed)}.fork("trajectory figure");
  const Tensor noise = randn(key, {labels.numel(), 2});
  plot::Figure figure;
  figure.columns = 2;
  figure.title = "From noise to data (DDIM, 25 steps)";
  for (const NamedModel& shown : shown_models(results)) {
    std::vector<Tensor> steps;
    const SamplerOptions ddim25{.steps = std::min<int64_t>(25, schedule.num_train_timesteps())};
    sample(*shown.model, schedule, {.noise = noise, .condition = {.labels = labels}}, ddim25, &steps);
    add_trajectories(add_panel(figure, shown.title, settings.world.radius + 1, results.centers), steps, kPerClass);
  }
  return figure;
}

plot::Figure field_figure(const Settings& settings, const Results& results) {
  constexpr int64_t kGrid = 17;
  NoGrad no_grad;
  const NoiseSchedule schedule(settings.schedule);
  const Gaussians2d world(settings.world);
  const double reach = settings.world.radius + 1.5;
  const Tensor points = grid(reach * 0.95, kGrid), labels = zeros({points.size(0)}, DType::i64);
  const int64_t step = schedule.num_train_timesteps() / 8;
  const Tensor t = full({points.size(0)}, double(step), DType::i64);
  plot::Figure figure;
  figure.title = fmt::format("Where denoising leads class 0 at t = {} of {}", step, schedule.num_train_timesteps());
  add_arrows(add_panel(figure, "Exact, clean world", reach, results.centers), points,
             world.clean_noise(schedule, points, t, labels));
  add_arrows(add_panel(figure, "Exact, noisy set", reach, results.centers), points,
             world.noisy_noise(schedule, points, t, labels));
  for (const NamedModel& shown : shown_models(results))
    add_arrows(add_panel(figure, shown.title, reach, results.centers), points,
               shown.model->predict(points, t.to(DType::f32), {.labels = labels}).value());
  return figure;
}

}  // namespace plumb::toy2d
