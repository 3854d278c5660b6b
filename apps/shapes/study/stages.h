#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/output_dir.h"

namespace plumb::study {

/// A verb that ended with another code than 0: the study ends with it.
struct StageStopped {
  int code;
};

/// How a stage ended.
enum class StageEnd {
  done,
  unhealthy,  ///< a health rule stopped it: a finding, not a fault
};

/// The steps of a study, each a command of this program that anyone can repeat by hand. What is done stands in
/// OUT/stages.jsonl with its command and its seconds; a study that is started again goes on behind it. A stage whose
/// command is another one than last time is done again.
class Stages {
 public:
  /// `globals`: words that every command gets, such as --threads 2. Throws IoError for a log that cannot be read.
  Stages(const OutputDir& out, Arguments globals, bool quiet);

  /// `plumb VERB words --out OUT/name`, in this process. `resumes`: the verb goes on with what it finds in its folder;
  /// otherwise a folder that is not complete is emptied first. Throws StageStopped, and what the verb throws, but for
  /// UnhealthyError.
  StageEnd run(const std::string& name, const std::string& verb, const Arguments& words, bool resumes = false);
  /// The same for a verb that writes into the folder of a stage before it or a file of its own; `words` say where.
  StageEnd run_beside(const std::string& name, const std::string& verb, const Arguments& words);

  std::string path(const std::string& name) const { return out_ / name; }
  /// Of all stages that are done, this process' and earlier ones'.
  double seconds() const;

 private:
  struct Done {
    std::string stage, command;
    double seconds;
    StageEnd end;
  };
  StageEnd perform(const std::string& name, const std::string& verb, const Arguments& words);
  const Done* find(const std::string& name, const std::string& command) const;
  void record(Done done);

  const OutputDir& out_;
  Arguments globals_;
  bool quiet_;
  std::vector<Done> done_;  // in the order of their ends
};

/// A command as one types it.
std::string command_line(const std::string& verb, const Arguments& words);

}  // namespace plumb::study
