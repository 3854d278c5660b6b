#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/output_dir.h"
#include "apps/common/signals.h"

namespace plumb::study {

/// A command that ended with another code than 0, or a signal: the study ends with its code.
struct StageStopped {
  int code;
};

/// How a stage ended.
enum class StageEnd {
  done,
  unhealthy,  ///< a health rule stopped it: a finding, not a fault
};

struct StagesOptions {
  std::string program = {};       ///< that is run
  Arguments words = {};           ///< that every command gets, such as --device cpu
  int64_t jobs = 1, threads = 1;  ///< how many commands at a time are worth while, and the cores there are
  bool quiet = false;
};

/// The steps of a study, each a command of this program in a process of its own, that anyone can repeat by hand. What
/// is done stands in OUT/stages.jsonl with its command and its seconds; a study that is started again goes on behind
/// it. A stage whose command is another one than last time is done again. SIGINT and SIGTERM are passed on to the
/// commands that run, and no other begins. Its methods may be called from several threads for different stages.
class Stages {
 public:
  /// Throws IoError for a log that cannot be read.
  Stages(const OutputDir& out, StagesOptions options);

  /// `plumb VERB words --out OUT/name`. A folder that is not complete is emptied first, unless the verb can go on with
  /// what it finds there: then it gets the words `resume`, too. Throws StageStopped, IoError.
  StageEnd run(const std::string& name, const std::string& verb, const Arguments& words,
               const std::optional<Arguments>& resume = std::nullopt);
  /// The same for a verb that writes into the folder of a stage before it or a file of its own; `words` say where.
  StageEnd run_beside(const std::string& name, const std::string& verb, const Arguments& words);
  /// From here on commands run alone, with every core, or several at a time, each with its share of them.
  void run_alone(bool alone) { alone_ = alone; }
  int64_t jobs() const { return options_.jobs; }

  std::string path(const std::string& name) const { return out_ / name; }
  /// Of all stages that are done, this process' and earlier ones'; those that ran at the same time are added up.
  double seconds() const;

 private:
  struct Done {
    std::string stage, command;
    double seconds;
    StageEnd end;
  };
  StageEnd perform(const std::string& name, const std::string& verb, const Arguments& words,
                   const Arguments& unrecorded = {});
  std::optional<StageEnd> find(const std::string& name, const std::string& command) const;
  void record(Done done);

  const OutputDir& out_;
  StagesOptions options_;
  bool alone_ = true;
  const StopOnSignal stop_;
  mutable std::mutex mutex_;
  std::vector<Done> done_;  // in the order of their ends
};

/// A command as one types it.
std::string command_line(const std::string& verb, const Arguments& words);

}  // namespace plumb::study
