#pragma once

#include <string>
#include <vector>

#include "apps/toy2d/experiment.h"

namespace plumb::toy2d {

/// Draws the first seed of the run into DIRECTORY, each as SVG and PNG:
///   figure        the paper's Fig. 2: truth, noisy set, reference, Diffusion-DPO, DDSPO
///   methods       every row with the first sampler
///   curves        metrics over fine-tuning steps
///   trajectories  how a few samples travel from noise to data, before and after
///   field         the predicted noise of models against the exact one, as arrows
void draw_figures(const std::string& directory, const Settings& settings, const std::vector<Method>& methods,
                  const Results& results);

}  // namespace plumb::toy2d
