// SPDX-License-Identifier: Apache-2.0
// yaml-cpp's events -> entries; every feature that lets two readers of a job disagree is refused here.
#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <sstream>

#include "base/errors.h"

namespace pleat::config {
namespace {

using base::fail;
using base::JobError;
using YAML::anchor_t;
using YAML::Mark;

class Entries final : public YAML::EventHandler {
 public:
  /// An empty `root` makes a file, whose top is a mapping; otherwise the text is the value of that key.
  Entries(std::string_view file, std::string root) : file_(file), root_(std::move(root)) {}

  std::vector<YamlEntry> take() { return std::move(entries_); }

  void OnDocumentStart(const Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const Mark& mark, anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    if (levels_.empty() && root_.empty()) fail<JobError>("{}: the job is empty", file_);
    if (in_key()) fail<JobError>("{}: a key is missing before ':'", where(mark));
    fail<JobError>("{}: {} has no value (an empty text is written \"\")", where(mark), path());
  }

  void OnAlias(const Mark& mark, anchor_t) override {
    fail<JobError>("{}: aliases (*name) are not accepted: write the value out", where(mark));
  }

  void OnScalar(const Mark& mark, const std::string& tag, anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    if (tag != "?" && tag != "!") refuse_tag(mark, tag);
    if (in_key()) return take_key(mark, value);
    if (levels_.empty() && root_.empty())
      fail<JobError>("{}: a job is a mapping of sections, not one value", where(mark));
    const YamlScalar scalar{value, tag == "?"};
    if (!levels_.empty() && levels_.back().list) {
      entries_.back().values.push_back(scalar);
      return;
    }
    entries_.push_back({path(), YamlEntry::Kind::scalar, {scalar}, where(mark)});
    value_done();
  }

  void OnSequenceStart(const Mark& mark, const std::string& tag, anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    if (tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    if (in_key()) fail<JobError>("{}: a list cannot be a key", where(mark));
    if (levels_.empty() && root_.empty())
      fail<JobError>("{}: a job is a mapping of sections, not a list", where(mark));
    if (!levels_.empty() && levels_.back().list)
      fail<JobError>("{}: {}: lists of lists are not accepted", where(mark), path());
    entries_.push_back({path(), YamlEntry::Kind::list, {}, where(mark)});
    levels_.push_back({.list = true, .path = path(), .key = {}, .seen = {}});
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const Mark& mark, const std::string& tag, anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    if (tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    if (in_key()) fail<JobError>("{}: a mapping cannot be a key", where(mark));
    if (!levels_.empty() && levels_.back().list)
      fail<JobError>("{}: {}: a list holds values, not mappings", where(mark), path());
    if (!levels_.empty() || !root_.empty())
      entries_.push_back({path(), YamlEntry::Kind::section, {}, where(mark)});
    levels_.push_back({.list = false, .path = path(), .key = {}, .seen = {}});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    bool list;
    std::string path;
    std::optional<std::string> key;  // of the value that comes next
    std::set<std::string> seen;
  };

  std::string where(const Mark& mark) const {
    return root_.empty() ? fmt::format("{}:{}", file_, mark.line + 1) : file_;
  }
  bool in_key() const { return !levels_.empty() && !levels_.back().list && !levels_.back().key; }
  std::string path() const {
    if (levels_.empty()) return root_;
    const Level& level = levels_.back();
    if (!level.key) return level.path;
    return level.path.empty() ? *level.key : level.path + "." + *level.key;
  }

  void take_key(const Mark& mark, const std::string& key) {
    Level& level = levels_.back();
    if (key == "<<") fail<JobError>("{}: merge keys (<<) are not accepted: write the keys out", where(mark));
    level.key = key;
    if (!level.seen.insert(key).second) fail<JobError>("{}: {} is written twice", where(mark), path());
  }
  void value_done() {
    if (!levels_.empty()) levels_.back().key.reset();
  }
  void close() {
    levels_.pop_back();
    value_done();
  }
  void refuse_anchor(const Mark& mark, anchor_t anchor) const {
    if (anchor) fail<JobError>("{}: anchors (&name) are not accepted: write the value out", where(mark));
  }
  void refuse_tag(const Mark& mark, const std::string& tag) const {
    fail<JobError>("{}: the tag {} is not accepted: a key's kind is fixed", where(mark), tag);
  }

  std::string file_, root_;
  std::vector<Level> levels_;
  std::vector<YamlEntry> entries_;
};

std::vector<YamlEntry> read(std::string_view text, std::string_view file, std::string root) {
  std::istringstream stream{std::string(text)};
  const bool is_file = root.empty();
  try {
    YAML::Parser parser(stream);
    Entries entries(file, std::move(root));
    if (!parser.HandleNextDocument(entries))
      fail<JobError>("{}: {} is empty", file, is_file ? "the job" : "the value");
    Entries second(file, "a second document");
    if (parser.HandleNextDocument(second))
      fail<JobError>("{}: a job is one document, without '---' between two", file);
    return entries.take();
  } catch (const YAML::Exception& error) {
    if (is_file && error.mark.line >= 0)
      fail<JobError>("{}:{}: not YAML: {}", file, error.mark.line + 1, error.msg);
    fail<JobError>("{}: not YAML: {}", file, error.msg);
  }
}

}  // namespace

std::vector<YamlEntry> read_yaml(std::string_view text, std::string_view file) {
  return read(text, file, {});
}

YamlEntry read_override(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    fail<JobError>("command line: '{}' is not key.path=value", text);
  const std::string key(text.substr(0, equals));
  const std::vector<YamlEntry> entries = read(text.substr(equals + 1), "command line", key);
  if (entries.front().kind == YamlEntry::Kind::section)
    fail<JobError>("command line: {}: a mapping cannot be given here: write {}.name=value", key, key);
  return entries.front();
}

}  // namespace pleat::config
