// SPDX-License-Identifier: Apache-2.0
// kill -9 at any time, twenty times over one run, five of them inside a save: the run that comes out is the
// run that was never disturbed. Every process is a child, forked while this one has no other threads.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/philox.h"
#include "run_tools.h"

namespace pleat {
namespace {

using testing::TinyRuns;
namespace fs = std::filesystem;

constexpr int kOneByOne = 15;  // kills at random times

[[noreturn]] void kill_this_process() {
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();
}

/// Runs `body` in a process of its own. True when it was killed, false when it ended well; anything else
/// fails.
template <class Body>
bool killed(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "a resumed run failed";
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

train::TrainOptions resuming(const config::Job& job) {
  train::TrainOptions options;
  options.resume = job.run.directory;
  return options;
}

/// Dies a while after it has said its n-th word (0: after its start), at the latest when it has done `last`
/// steps: somewhere in a start, a step or a save.
void die_after(const config::Job& job, int words, std::chrono::microseconds delay, int64_t last) {
  train::Host host = testing::quiet_host();
  int said = 0;
  const auto die = [delay] {
    std::thread([delay] {
      std::this_thread::sleep_for(delay);
      kill_this_process();
    }).detach();
  };
  host.say = [&](std::string_view) {
    if (++said == words) die();
  };
  if (words == 0) die();
  train::TrainOptions options = resuming(job);
  options.stop_after = last;
  train::train(job, options, host);
  kill_this_process();  // the end came first
}

/// Dies in a save, where the fault point calls for `action` the n-th time.
void die_inside_save(const config::Job& job, std::string_view action, int nth) {
  train::TrainOptions options = resuming(job);
  std::mutex mutex;
  int seen = 0;
  options.fault = [&](std::string_view point) {
    const std::lock_guard lock(mutex);
    if (point.starts_with(action) && ++seen == nth) kill_this_process();
  };
  train::train(job, options, testing::quiet_host());
}

TEST(Kills, TwentyLeaveTheRunAsItWas) {
  const TinyRuns runs;
  const std::vector<std::string> more{"train.steps=40"};
  ASSERT_FALSE(killed([&] { testing::train_quietly(runs.job("undisturbed", more)); }));
  const config::Job job = runs.job("killed", more);
  fs::create_directories(job.run.directory);
  int kills = 0;
  const auto inside_save = [&](std::string_view action, int nth) {
    const bool died = killed([&] { die_inside_save(job, action, nth); });
    EXPECT_TRUE(died) << "no save came to its " << action << " number " << nth;
    kills += died;
  };
  inside_save("write shard-", 3);         // the first save
  inside_save("write manifest.json", 1);  // and again
  const base::RandomStream random(11, "kills", "test");
  for (int i = 0; i < kOneByOne; ++i) {
    if (i == 3) inside_save("sync ", 2);
    if (i == 6) inside_save("rename step-", 1);
    if (i == 9) inside_save("remove ", 1);
    const auto draw = static_cast<uint64_t>(i);
    const int words = static_cast<int>(random.bits(draw, 0) % 5);
    const std::chrono::microseconds delay(random.bits(draw, 1) % (words == 0 ? 60000 : 3000));
    kills += killed([&] { die_after(job, words, delay, 2 * (i + 2)); });
  }
  EXPECT_EQ(kills, kOneByOne + 5);
  ASSERT_FALSE(killed([&] { testing::resume_quietly(job); }));
  EXPECT_TRUE(testing::same_runs(runs.run("killed"), runs.run("undisturbed")));
}

}  // namespace
}  // namespace pleat
