#include "apps/shapes/study/control_pairs.h"

#include <filesystem>
#include <vector>

#include "apps/shapes/study/json_lines.h"
#include "engine/require.h"

namespace plumb::study {
namespace {

/// The prompt of the next pair that has another one.
std::string unrelated_prompt(const std::vector<Json>& lines, size_t of) {
  const std::string& own = lines[of].at("prompt").as_string();
  for (size_t step = 1; step < lines.size(); ++step) {
    const std::string& other = lines[(of + step) % lines.size()].at("prompt").as_string();
    if (other != own) return other;
  }
  raise<ValueError>("study: all pairs have one prompt, so none is unrelated (\"{}\")", own);
}

}  // namespace

void write_control_pairs(const std::string& from, const std::string& to, const std::string& kind) {
  const std::vector<Json> lines = read_json_lines(from + "/metadata.jsonl");
  const std::string folder = std::filesystem::relative(from, to).string() + "/";
  std::vector<Json> written;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string prompt = lines[i].at("prompt").as_string(), negative = lines[i].at("neg_prompt").as_string();
    const std::string winner = folder + lines[i].at("pos_file").as_string();
    const std::string loser = folder + lines[i].at("neg_file").as_string();
    Json line = Json::object();
    line.set("id", lines[i].at("id"));
    if (kind == "swapped") {
      line.set("prompt", negative).set("neg_prompt", prompt).set("pos_file", loser).set("neg_file", winner);
    } else {
      require<ValueError>(kind == "empty" || kind == "unrelated" || kind == "equal",
                          "study: a control is empty, unrelated, equal or swapped (got \"{}\")", kind);
      line.set("prompt", prompt);
      line.set("neg_prompt", kind == "empty" ? "" : kind == "equal" ? prompt : unrelated_prompt(lines, i));
      line.set("pos_file", winner).set("neg_file", loser);
    }
    written.push_back(std::move(line));
  }
  write_json_lines(to + "/metadata.jsonl", written);
}

}  // namespace plumb::study
