#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace plumb {

/// What a progress line shows after the rate: name and text, in order.
using Postfix = std::vector<std::pair<std::string, std::string>>;

struct ProgressOptions {
  std::string description = "Steps";
  int64_t total = 0;  // 0: not known
  int64_t start = 0;  // where a resumed run begins; the rate counts from here
  bool quiet = false;
  std::FILE* out = stderr;
  double every = 0.1;           // seconds between lines on a terminal
  double plain_every = 10;      // seconds between lines elsewhere
  int columns = 0;              // width of the terminal; 0: ask it; negative: not a terminal
  double (*clock)() = nullptr;  // seconds; null: the steady clock
};

/// A line like tqdm's on a terminal, rewritten in place; whole lines now and then elsewhere. Threads may share one.
///
///   Progress progress({.description = "Steps", .total = 2000, .quiet = global.quiet});
///   for (...) progress.update(step + 1, {{"loss", fmt::format("{:.3g}", loss)}});
///
/// The last state is shown when the object is destroyed.
class Progress {
 public:
  explicit Progress(ProgressOptions options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// `done` of the total are done. Cheap when no line is due.
  void update(int64_t done, const Postfix& postfix = {});
  /// One more is done; for workers that do not know the count.
  void advance(const Postfix& postfix = {});
  /// Prints `text` as a line of its own above the progress line. Nothing when quiet.
  void say(const std::string& text);

 private:
  void show(int64_t done, const Postfix& postfix);
  void draw();

  ProgressOptions options_;
  std::mutex mutex_;
  bool terminal_;
  double started_, shown_ = -1e300;
  int64_t done_, drawn_ = -1;
  Postfix postfix_;
};

/// `Steps:  12%|███▌      | 240/2000 [01:12<08:49,  3.32it/s, loss=0.691]`, or without bar and percentage when `bar` is
/// false. `seconds` since `start` was done.
std::string progress_line(const ProgressOptions& options, int64_t done, double seconds, const Postfix& postfix,
                          bool bar);

/// "01:12", "1:01:12".
std::string clock_text(double seconds);

}  // namespace plumb
