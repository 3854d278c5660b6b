#include "apps/common/progress.h"

#include <doctest/doctest.h>

using namespace plumb;

namespace {

double now = 0;

// What a Progress writes while `use` runs.
template <class Use>
std::string written(ProgressOptions options, Use use) {
  std::FILE* file = std::tmpfile();
  options.out = file;
  options.clock = [] { return now; };
  now = 0;
  {
    Progress progress(options);
    use(progress);
  }
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  REQUIRE(std::fread(text.data(), 1, text.size(), file) == text.size());
  std::fclose(file);
  return text;
}

}  // namespace

TEST_CASE("progress: a line looks like tqdm's") {
  ProgressOptions options{.total = 2000};
  CHECK(progress_line(options, 240, 72, {{"lr", "2.05e-05"}, {"loss", "0.691"}}, true) ==
        "Steps:  12%|█▏        | 240/2000 [01:12<08:48,  3.33it/s, lr=2.05e-05, loss=0.691]");
  CHECK(progress_line(options, 2000, 4000, {}, true) == "Steps: 100%|██████████| 2000/2000 [1:06:40<00:00,  2.00s/it]");
  CHECK(progress_line(options, 0, 0, {}, true) == "Steps:   0%|          | 0/2000 [00:00<?, ?it/s]");
  CHECK(progress_line({.total = 0}, 5, 10, {}, true) == "Steps: 5it [00:10,  2.00s/it]");
  CHECK(progress_line(options, 240, 72, {}, false) == "Steps: 240/2000 [01:12<08:48,  3.33it/s]");
}

TEST_CASE("progress: a resumed run counts its rate from where it began") {
  ProgressOptions options{.total = 200, .start = 100};
  CHECK(progress_line(options, 150, 10, {}, false) == "Steps: 150/200 [00:10<00:10,  5.00it/s]");
}

TEST_CASE("progress: elsewhere than on a terminal lines are whole and rare") {
  std::string text = written({.total = 100, .plain_every = 10, .columns = -1}, [](Progress& progress) {
    for (int i = 1; i <= 100; ++i) {
      now += 0.25;
      progress.update(i);
    }
  });
  CHECK(text ==
        "Steps: 40/100 [00:10<00:15,  4.00it/s]\n"
        "Steps: 80/100 [00:20<00:05,  4.00it/s]\n"
        "Steps: 100/100 [00:25<00:00,  4.00it/s]\n");
}

TEST_CASE("progress: on a terminal the line is rewritten, cut to its width, and ended") {
  std::string text = written({.total = 10, .columns = 30}, [](Progress& progress) {
    for (int i = 1; i <= 10; ++i) {
      now += 1;
      progress.advance({{"loss", "0.5"}});
    }
  });
  CHECK(text.starts_with("\rSteps:  10%|█         | 1/10 \x1b[K\r"));
  CHECK(text.ends_with("\n"));
}

TEST_CASE("progress: quiet writes nothing") {
  CHECK(written({.total = 3, .quiet = true, .columns = 80}, [](Progress& progress) {
          progress.update(3);
          progress.say("text");
        }) == "");
}

TEST_CASE("progress: say puts a line above") {
  CHECK(written({.total = 3, .columns = -1}, [](Progress& progress) { progress.say("hello"); }) == "hello\n");
}
