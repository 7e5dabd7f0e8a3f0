// SPDX-License-Identifier: Apache-2.0
// yaml-cpp's events -> entries; every feature that lets two readers of a job disagree is refused here.
#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
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
  Entries(std::string_view text, std::string_view file, std::string root)
      : file_(file), root_(std::move(root)) {
    for (size_t end; !text.empty(); text.remove_prefix(std::min(text.size(), end + 1))) {
      end = std::min(text.size(), text.find('\n'));
      lines_.push_back(text.substr(0, end));
    }
  }

  std::vector<YamlEntry> take() { return std::move(entries_); }

  void OnDocumentStart(const Mark&) override {
    if (++documents_ > 1) fail<JobError>("{}: a job is one document, without '---' between two", file_);
  }
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
    if (!ends_on_its_line(mark, scalar))
      fail<JobError>("{}: {}: a value ends on the line where it begins{}", where(mark), path(),
                     scalar.plain ? "" : "; is a quote missing?");
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
    levels_.push_back({.list = true, .path = path(), .key = {}, .key_mark = {}, .seen = {}});
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
    levels_.push_back({.list = false, .path = path(), .key = {}, .key_mark = {}, .seen = {}});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    bool list;
    std::string path;
    std::optional<std::string> key;  // of the value that comes next
    Mark key_mark;
    std::set<std::string> seen;
  };

  /// The line of the key, where there is one: a section's value begins on the next line.
  std::string where(const Mark& mark) const {
    if (!root_.empty()) return file_;
    const bool has_key = !levels_.empty() && levels_.back().key;
    return fmt::format("{}:{}", file_, (has_key ? levels_.back().key_mark.line : mark.line) + 1);
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
    level.key_mark = mark;
    if (!level.seen.insert(key).second) fail<JobError>("{}: {} is written twice", where(mark), path());
  }
  void value_done() {
    if (!levels_.empty()) levels_.back().key.reset();
  }
  void close() {
    levels_.pop_back();
    value_done();
  }
  /// The parser folds lines into one, and takes the end of the text for a missing quote.
  bool ends_on_its_line(const Mark& mark, const YamlScalar& scalar) const {
    const auto number = static_cast<size_t>(mark.line);
    std::string_view line = number < lines_.size() ? lines_[number] : std::string_view();
    line.remove_prefix(std::min(line.size(), static_cast<size_t>(mark.column)));
    if (scalar.plain) return line.starts_with(scalar.text);
    const char quote = line.empty() ? ' ' : line[0];
    for (size_t i = 1; i < line.size(); ++i) {
      const bool escaped = quote == '"' ? line[i] == '\\' : line.substr(i).starts_with("''");
      if (escaped)
        ++i;
      else if (line[i] == quote)
        return quote == '"' || quote == '\'';
    }
    return false;
  }
  void refuse_anchor(const Mark& mark, anchor_t anchor) const {
    if (anchor) fail<JobError>("{}: anchors (&name) are not accepted: write the value out", where(mark));
  }
  void refuse_tag(const Mark& mark, const std::string& tag) const {
    fail<JobError>("{}: the tag {} is not accepted: a key's kind is fixed", where(mark), tag);
  }

  std::vector<std::string_view> lines_;
  std::string file_, root_;
  int documents_ = 0;
  std::vector<Level> levels_;
  std::vector<YamlEntry> entries_;
};

std::vector<YamlEntry> read(std::string_view text, std::string_view file, std::string root) {
  std::istringstream stream{std::string(text)};
  const std::string key = root;
  const bool is_file = key.empty();
  try {
    YAML::Parser parser(stream);
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark is in no column
    Entries entries(text, file, std::move(root));
    if (!parser.HandleNextDocument(entries)) {
      if (is_file) fail<JobError>("{}: the job is empty", file);
      fail<JobError>("{}: {} has no value; an empty text is written {}=''", file, key, key);
    }
    parser.HandleNextDocument(entries);  // refuses itself
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
