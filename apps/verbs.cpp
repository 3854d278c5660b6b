#include "apps/verbs.h"

#include "apps/about/about.h"
#include "apps/align/align.h"
#include "apps/convert/convert.h"
#include "apps/data/data.h"
#include "apps/eval/eval.h"
#include "apps/explain/explain.h"
#include "apps/gradcheck/gradcheck_verb.h"
#include "apps/graph/graph.h"
#include "apps/inspect/inspect.h"
#include "apps/merge/merge.h"
#include "apps/objective/objective_verb.h"
#include "apps/op/op.h"
#include "apps/pairs/pairs.h"
#include "apps/plan/plan.h"
#include "apps/sample/sample.h"
#include "apps/shapes/shapes.h"
#include "apps/toy2d/toy2d.h"
#include "apps/trace/trace.h"
#include "apps/train/train.h"

namespace plumb {

const std::vector<Verb>& verbs() {
  // One line a verb, in the order of a first tour.
  static const std::vector<Verb> all = {
      {"toy2d", "the 2D experiment: reference on noisy data, pairs, every objective, figures", run_toy2d},
      {"shapes", "captioned pictures with exact truth: data sets, prompts, scores, preferences", run_shapes},
      {"train", "trains a diffusion model of points or of pictures", run_train},
      {"data", "checks a data set of pictures or preferences: layout, captions, sizes, broken files", run_data},
      {"pairs", "makes preference pairs of pictures or points, without labels", run_pairs},
      {"align", "fine-tunes a model of pictures or points on preferences, with any objective", run_align},
      {"explain", "one preference pair at one t, with every number on the way to the gradient", run_explain},
      {"plan", "effective batch, rate, strength of beta, forwards and memory before a run", run_plan},
      {"sample", "draws pictures or points from a trained model", run_sample},
      {"eval", "scores with intervals, two runs picture by picture, distances, held-out preferences", run_eval},
      {"merge", "adds a low-rank adapter (LoRA) to the weights of a model", run_merge},
      {"convert", "a model of pictures between diffusers' folder and a single file", run_convert},
      {"inspect", "lists and verifies safetensors files, checkpoints and model folders", run_inspect},
      {"graph", "draws the autograd graph of a loss as DOT and SVG", run_graph},
      {"trace", "time, bytes, share of the roofline and memory of a training step, op by op", run_trace},
      {"gradcheck", "compares gradients with finite differences", run_gradcheck_verb},
      {"about", "what this build and this machine are", run_about},
      {"op", "runs any op on tensors from a file (conformance)", run_op},
      {"objective", "evaluates any objective on predictions from a file (conformance)", run_objective},
  };
  return all;
}

}  // namespace plumb
