// SPDX-License-Identifier: Apache-2.0
// A save that ends anywhere, by a crash, an error or a full disk, leaves the earlier checkpoint whole; damage
// is found.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "checkpoint/store.h"
#include "saved_run.h"

namespace pleat::checkpoint {
namespace {

using base::DataError;
using testing::contents;
using testing::error_of;
using testing::put;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

constexpr int kCrashed = 77;

/// Runs `body` in a process of its own; its exit status.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<std::string> points_of_a_save(const fs::path& run, int64_t step, int keep) {
  std::vector<std::string> points;
  save(run, step, 2, {keep, [&](std::string_view point) { points.emplace_back(point); }});
  return points;
}

/// Crashes a save of `step` over a run that holds `before` at each of its points in turn.
void crash_everywhere(const std::vector<int64_t>& before, int64_t step, int keep) {
  std::vector<std::string> points;
  {
    const TemporaryFolder run;
    for (int64_t earlier : before) save(run.path(), earlier, 2);
    points = points_of_a_save(run.path(), step, keep);
  }
  ASSERT_GE(points.size(), 20u);
  bool seen_old = false, seen_new = false;
  for (size_t at = 0; at < points.size(); ++at) {
    const TemporaryFolder run;
    for (int64_t earlier : before) save(run.path(), earlier, 2);
    const int status = in_child([&] {
      size_t calls = 0;
      save(run.path(), step, 2, {keep, [&](std::string_view) {
                                   if (calls++ == at) ::_exit(kCrashed);
                                 }});
    });
    ASSERT_EQ(status, kCrashed) << points[at];
    const Found found = newest_complete(run.path());
    ASSERT_TRUE(found.checkpoint) << points[at];
    const bool is_new = *found.checkpoint == checkpoint_path(run.path(), step);
    (is_new ? seen_new : seen_old) = true;
    if (!is_new) {
      ASSERT_EQ(*found.checkpoint, checkpoint_path(run.path(), before.back())) << points[at];
    }
    expect_state(*found.checkpoint, is_new ? step : before.back());
    // The next save is not disturbed by what lies about.
    save(run.path(), step, 2, {keep, {}});
    expect_state(newest_complete(run.path()).checkpoint.value(), step);
    EXPECT_FALSE(fs::exists(checkpoint_path(run.path(), step).string() + ".partial"));
  }
  EXPECT_TRUE(seen_new);
  EXPECT_TRUE(seen_old || before.back() == step);
}

TEST(Recovery, ACrashAtEveryPointKeepsAGoodCheckpoint) {
  crash_everywhere({10}, 20, 0);
}

TEST(Recovery, ACrashAtEveryPointWhileOldOnesAreRemoved) {
  crash_everywhere({5, 10}, 20, 1);
}

TEST(Recovery, ACrashAtEveryPointWhileTheSameStepIsReplaced) {
  crash_everywhere({20}, 20, 1);
}

TEST(Recovery, AnErrorAtEveryPointLeavesNoTrace) {
  const TemporaryFolder probe;
  save(probe.path(), 10, 2);
  const std::vector<std::string> points = points_of_a_save(probe.path(), 20, 0);
  for (size_t at = 0; at < points.size(); ++at) {
    const TemporaryFolder run;
    save(run.path(), 10, 2);
    size_t calls = 0;
    EXPECT_THROW(save(run.path(), 20, 2,
                      {0,
                       [&](std::string_view) {
                         if (calls++ == at) throw DataError("injected");
                       }}),
                 DataError);
    const Found found = newest_complete(run.path());
    ASSERT_TRUE(found.checkpoint) << points[at];
    EXPECT_TRUE(found.notes.empty()) << points[at];
    expect_state(*found.checkpoint, *found.checkpoint == checkpoint_path(run.path(), 20) ? 20 : 10);
  }
}

TEST(Recovery, AFullDiskLeavesTheOldCheckpoint) {
  int failures = 0, successes = 0;
  for (rlim_t bytes = 100; successes == 0; bytes += 100) {
    const TemporaryFolder run;
    save(run.path(), 10, 2);
    const int status = in_child([&] {
      // A limit on file size fails a write half done, as a full disk does, without one.
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{bytes, bytes};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      const std::string text = error_of<DataError>([&] { save(run.path(), 20, 2); });
      if (!text.empty()) ::_exit(text.find(": cannot write ") == std::string::npos ? 1 : kCrashed);
    });
    ASSERT_TRUE(status == kCrashed || status == 0);
    (status == 0 ? successes : failures)++;
    const Found found = newest_complete(run.path());
    ASSERT_TRUE(found.checkpoint);
    EXPECT_TRUE(found.notes.empty());
    expect_state(*found.checkpoint, status == 0 ? 20 : 10);
    EXPECT_EQ(step_folders(run.path()).size(), status == 0 ? 2u : 1u);
  }
  EXPECT_GE(failures, 5);
}

TEST(Recovery, DamageIsFoundAndNamed) {
  const auto note_after = [](auto damage) {
    const TemporaryFolder run;
    save(run.path(), 10, 2);
    save(run.path(), 20, 2);
    damage(checkpoint_path(run.path(), 20));
    const Found found = newest_complete(run.path());
    EXPECT_EQ(found.checkpoint, checkpoint_path(run.path(), 10));
    EXPECT_EQ(found.notes.size(), 1u);
    return found.notes.empty() ? "" : found.notes[0];
  };
  const std::string shard = "shard-1-of-2.safetensors";
  EXPECT_NE(
      note_after([&](const fs::path& p) { fs::resize_file(p / shard, 100); }).find(shard + ": 100 bytes"),
      std::string::npos);
  EXPECT_NE(note_after([&](const fs::path& p) { fs::remove(p / shard); }).find("No such file"),
            std::string::npos);
  EXPECT_NE(note_after([&](const fs::path& p) {
              std::string text = contents(p / shard);
              text.back() ^= 1;
              put(p / shard, text);
            }).find(shard + ": xxHash64"),
            std::string::npos);
  EXPECT_NE(note_after([&](const fs::path& p) { fs::remove(p / "manifest.json"); }).find("did not finish"),
            std::string::npos);
  EXPECT_NE(
      note_after([&](const fs::path& p) { put(p / "manifest.json", ""); }).find("is not JSON: it is empty"),
      std::string::npos);
  EXPECT_NE(note_after([&](const fs::path& p) {
              fs::remove_all(p);
              fs::copy(p.parent_path() / "step-00000010", p, fs::copy_options::recursive);
            }).find("its manifest says step 10"),
            std::string::npos);
}

TEST(Recovery, NoChangedByteOfAManifestIsBelieved) {
  const TemporaryFolder run;
  save(run.path(), 10, 1);
  const std::string good = contents(checkpoint_path(run.path(), 10) / "manifest.json");
  const std::string canonical = to_text(manifest_from_text(good, "good"));
  EXPECT_EQ(canonical, good);
  for (size_t at = 0; at < good.size(); ++at)
    for (const char flip : {1, 16}) {
      std::string text = good;
      text[at] = static_cast<char>(text[at] ^ flip);
      try {
        // Blanks between words may change; nothing else.
        EXPECT_EQ(to_text(manifest_from_text(text, "changed")), good) << at;
      } catch (const DataError&) {
      }
    }
  for (size_t length = 0; length + 1 < good.size(); ++length)
    EXPECT_THROW(manifest_from_text(good.substr(0, length), "cut"), DataError) << length;
}

TEST(Recovery, AnUnknownFormatIsRefusedByName) {
  const TemporaryFolder run;
  save(run.path(), 10, 1);
  save(run.path(), 20, 1);
  put(checkpoint_path(run.path(), 20) / "manifest.json", R"({"format": 2, "anything": "else"})");
  const std::string text = error_of<FormatError>([&] { newest_complete(run.path()); });
  EXPECT_NE(text.find("step-00000020"), std::string::npos) << text;
  EXPECT_NE(text.find("format 2 is unknown; this version reads format 1"), std::string::npos) << text;
}

TEST(Recovery, UnfinishedSavesAndStrangeNamesAreSkipped) {
  const TemporaryFolder run;
  EXPECT_EQ(newest_complete(run.path()).checkpoint, std::nullopt);
  EXPECT_EQ(newest_complete(run / "none").checkpoint, std::nullopt);
  save(run.path(), 10, 1);
  const fs::path folder = run / "checkpoints";
  for (const char* name : {"step-00000030.partial", "step-abc", "step-1", "step--0000001", "notes",
                           "step-99999999999999999999999999"})
    fs::create_directory(folder / name);
  put(folder / "step-00000040", "a file");
  const Found found = newest_complete(run.path());
  EXPECT_EQ(found.checkpoint, checkpoint_path(run.path(), 10));
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_NE(found.notes[0].find("step-00000030.partial: a save that did not finish"), std::string::npos);
}

TEST(Recovery, KeepsTheLastOnes) {
  const TemporaryFolder run;
  for (int64_t step : {10, 20, 30, 40}) save(run.path(), step, 2, {2, {}});
  const std::vector<StepFolder> folders = step_folders(run.path());
  ASSERT_EQ(folders.size(), 2u);
  EXPECT_EQ(folders[0].step, 30);
  EXPECT_EQ(folders[1].step, 40);
  save(run.path(), 35, 2, {1, {}});  // a later one is never removed for an earlier one
  EXPECT_EQ(step_folders(run.path()).size(), 2u);
  EXPECT_EQ(newest_complete(run.path()).checkpoint, checkpoint_path(run.path(), 40));
}

}  // namespace
}  // namespace pleat::checkpoint
