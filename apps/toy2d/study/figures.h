#pragma once

#include "apps/toy2d/study/study.h"

namespace plumb::toy2d {

/// Draws the study into DIRECTORY, each as SVG and PNG; parts that were not run are left out:
///   study_trajectories  metrics over steps, past the early stop
///   study_sweeps        pairs a class, beta, DSPO's temperature and lambda
///   study_ablation      reference updates and timesteps, long runs
///   study_timesteps     score error, reward scale and preference accuracy by timestep; implicit accuracy over steps
///   study_tuned         every method at what the search selected
void draw_study(const std::string& directory, const Settings& settings, const StudyReport& report);

}  // namespace plumb::toy2d
