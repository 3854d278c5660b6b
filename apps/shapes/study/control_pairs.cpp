#include "apps/shapes/study/control_pairs.h"

#include <filesystem>
#include <vector>

#include "apps/shapes/study/json_lines.h"
#include "engine/require.h"
#include "nn/data/metadata_file.h"

namespace plumb::study {
namespace {

/// The prompt of the next pair that has another one.
std::string unrelated_prompt(const std::vector<MetadataRow>& rows, size_t of) {
  const std::string& own = rows[of].fields.at("prompt").as_string();
  for (size_t step = 1; step < rows.size(); ++step) {
    const std::string& other = rows[(of + step) % rows.size()].fields.at("prompt").as_string();
    if (other != own) return other;
  }
  raise<ValueError>("study: all pairs have one prompt, so none is unrelated (\"{}\")", own);
}

}  // namespace

void write_control_pairs(const std::string& from, const std::string& to, const std::string& kind) {
  const std::vector<MetadataRow> rows = read_metadata(from + "/metadata.jsonl");
  const std::string folder = std::filesystem::relative(from, to).string() + "/";
  std::vector<Json> written;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Json& fields = rows[i].fields;
    const std::string prompt = fields.at("prompt").as_string(), negative = fields.at("neg_prompt").as_string();
    const std::string winner = folder + fields.at("pos_file").as_string();
    const std::string loser = folder + fields.at("neg_file").as_string();
    Json line = Json::object();
    line.set("id", fields.at("id"));
    if (kind == "swapped") {
      line.set("prompt", negative).set("neg_prompt", prompt).set("pos_file", loser).set("neg_file", winner);
    } else {
      require<ValueError>(kind == "empty" || kind == "unrelated" || kind == "equal",
                          "study: a control is empty, unrelated, equal or swapped (got \"{}\")", kind);
      line.set("prompt", prompt);
      line.set("neg_prompt", kind == "empty" ? "" : kind == "equal" ? prompt : unrelated_prompt(rows, i));
      line.set("pos_file", winner).set("neg_file", loser);
    }
    written.push_back(std::move(line));
  }
  write_json_lines(to + "/metadata.jsonl", written);
}

}  // namespace plumb::study
