#include "apps/common/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace plumb {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int terminal_columns(std::FILE* out) {
  if (!isatty(fileno(out))) return -1;
  constexpr int kUsualWidth = 80;
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualWidth;
}

std::string bar_text(double share) {
  constexpr int kCells = 10, kEighths = 8;
  static constexpr const char* kBlocks[kEighths] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  int eighths = static_cast<int>(std::clamp(share, 0.0, 1.0) * kCells * kEighths);
  std::string bar;
  for (int cell = 0; cell < kCells; ++cell) {
    int filled = eighths - cell * kEighths;
    bar += filled >= kEighths ? "█" : kBlocks[std::max(filled, 0)];
  }
  return bar;
}

// As tqdm does: seconds an item when they take longer than one.
std::string rate_text(double rate) {
  if (!(rate > 0)) return "?it/s";
  return rate < 1 ? fmt::format("{:5.2f}s/it", 1 / rate) : fmt::format("{:5.2f}it/s", rate);
}

// The first `columns` characters of UTF-8 text, so that a line never wraps.
std::string cut(const std::string& text, int columns) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    bool begins = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (begins && columns-- <= 0) break;
  }
  return text.substr(0, end);
}

}  // namespace

std::string clock_text(double seconds) {
  constexpr double kLongest = 359999;  // 99:59:59
  auto whole = static_cast<int64_t>(std::clamp(seconds, 0.0, kLongest));
  int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{:02}:{:02}", minutes, whole % 60);
}

std::string progress_line(const ProgressOptions& options, int64_t done, double seconds, const Postfix& postfix,
                          bool bar) {
  double rate = seconds > 0 ? static_cast<double>(done - options.start) / seconds : 0;
  std::string line = fmt::format("{}: ", options.description);
  std::string times = clock_text(seconds);
  if (options.total > 0) {
    double share = static_cast<double>(done) / static_cast<double>(options.total);
    if (bar) line += fmt::format("{:3}%|{}| ", static_cast<int>(share * 100), bar_text(share));
    line += fmt::format("{}/{}", done, options.total);
    double left = static_cast<double>(std::max<int64_t>(0, options.total - done));
    times += '<';
    times += rate > 0 ? clock_text(left / rate) : "?";
  } else {
    line += fmt::format("{}it", done);
  }
  line += fmt::format(" [{}, {}", times, rate_text(rate));
  for (const auto& [name, value] : postfix) line += fmt::format(", {}={}", name, value);
  return line + ']';
}

Progress::Progress(ProgressOptions options) : options_(std::move(options)), done_(options_.start) {
  if (!options_.clock) options_.clock = steady_seconds;
  if (options_.columns == 0) options_.columns = terminal_columns(options_.out);
  terminal_ = options_.columns > 0;
  started_ = options_.clock();
  if (!terminal_) shown_ = started_;  // the first plain line comes after plain_every seconds
}

Progress::~Progress() {
  if (options_.quiet || (done_ == options_.start && drawn_ < 0)) return;
  if (drawn_ != done_) draw();
  if (terminal_) std::fputc('\n', options_.out);
  std::fflush(options_.out);
}

void Progress::update(int64_t done, const Postfix& postfix) {
  std::lock_guard lock(mutex_);
  show(done, postfix);
}

void Progress::advance(const Postfix& postfix) {
  std::lock_guard lock(mutex_);
  show(done_ + 1, postfix);
}

void Progress::show(int64_t done, const Postfix& postfix) {
  done_ = done;
  if (options_.quiet) return;
  postfix_ = postfix;
  double now = options_.clock();
  if (now - shown_ < (terminal_ ? options_.every : options_.plain_every)) return;
  shown_ = now;
  draw();
}

void Progress::draw() {
  drawn_ = done_;
  std::string line = progress_line(options_, done_, options_.clock() - started_, postfix_, terminal_);
  if (terminal_) {
    // One column stays free: a full line makes some terminals wrap. "\x1b[K" clears what a longer line left.
    fmt::print(options_.out, "\r{}\x1b[K", cut(line, options_.columns - 1));
  } else {
    fmt::print(options_.out, "{}\n", line);
  }
  std::fflush(options_.out);
}

void Progress::say(const std::string& text) {
  std::lock_guard lock(mutex_);
  if (options_.quiet) return;
  fmt::print(options_.out, "{}{}\n", terminal_ ? "\r\x1b[K" : "", text);
  if (terminal_ && drawn_ >= 0) draw();
  std::fflush(options_.out);
}

}  // namespace plumb
