// SPDX-License-Identifier: Apache-2.0
#include "metric/text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "metric/golden_test_internal.h"
#include "metric/text_tokens_internal.h"

namespace vigie::metric {
namespace {

using golden::value_of;

std::vector<Entry> evaluated(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  TextState state;
  state.update(std::vector<std::string_view>(hypotheses.begin(), hypotheses.end()),
               std::vector<std::string_view>(references.begin(), references.end()));
  return evaluate(state.summarize());
}

TEST(Text, AsSacrebleuRougeScoreAndJiwer) {
  for (const std::string name : {"text", "text_short", "text_one_word", "text_nothing_right"}) {
    std::vector<std::string> sides[2];
    const auto lines = golden::lines(name + ".in");
    for (std::size_t i = 0; i < lines.size(); ++i) sides[i % 2].push_back(lines[i]);
    golden::check(evaluated(sides[0], sides[1]), name);
  }
}

TEST(Text, Tokens) {
  const auto as = [](const char* text) { return words(text); };
  EXPECT_EQ(bleu_tokens("It's 3.14, 1,000-fold (U.S.)."), as("It's 3.14 , 1,000 - fold ( U . S . ) ."));
  EXPECT_EQ(bleu_tokens("&quot;a&amp;b&quot; x-y"), as("\" a & b \" x-y"));
  EXPECT_EQ(rouge_tokens("E-mail: CAFÉ 3.5"), as("e mail caf 3 5"));
  EXPECT_EQ(answer_tokens("The  cat's hat, an ÉLAN … a"), as("cats hat élan …"));
  EXPECT_EQ(words("a\u00a0b\u3000c"), as("a b c"));
  EXPECT_EQ(decode("é東\xff\xe6\x9d"), U"é東\xfffd\xfffd\xfffd");
}

TEST(Text, DistancesByHand) {
  EXPECT_EQ(edits(words("k i t t e n"), words("s i t t i n g")), 3);
  EXPECT_EQ(common_subsequence(words("a b c b d a b"), words("b d c a b a")), 4);
  EXPECT_EQ(edits({}, words("x y")), 2);
}

TEST(Text, MissingAndEmpty) {
  TextState state;
  state.update(std::array<std::string_view, 3>{"a", std::string_view{}, "b"},
               std::array<std::string_view, 3>{std::string_view{}, "x", ""});
  EXPECT_EQ(state.unlabelled(), 1);
  EXPECT_EQ(state.unscored(), 1);
  const auto entries = evaluate(state.summarize());
  EXPECT_EQ(value_of(entries, "wer").reason, "no reference has a word");
  EXPECT_EQ(value_of(entries, "bleu").reason, "no reference has a word");
  EXPECT_EQ(value_of(entries, "exact_match").value, 0);
  EXPECT_EQ(value_of(entries, "perplexity").reason, "no log-probabilities, which are 0 or less, were given");
}

TEST(Text, Perplexity) {
  TextState state;
  state.update_log_probabilities(std::array{-2 * std::log(8.), -std::log(2.), double{NAN}, 1.},
                                 std::array<std::int64_t, 4>{2, 1, 1, 1});
  const Value v = value_of(evaluate(state.summarize()), "perplexity");
  EXPECT_NEAR(v.value, std::pow(128, 1. / 3), 1e-12);
  EXPECT_EQ(v.n, 2);
}

TEST(SlowText, IntervalsHoldTheTruth) {
  const auto draw = [](Rng& rng, int n) {
    std::vector<std::string> sides[2];
    for (int i = 0; i < n; ++i) {
      std::string text, noisy;
      const double error = .1 + .3 * rng.uniform();
      for (std::uint64_t words = 5 + rng.below(15); words > 0; --words) {
        const std::string word = "w" + std::to_string(rng.below(50)) + " ";
        text += word;
        noisy += rng.uniform() < error ? "x" + std::to_string(rng.below(50)) + " " : word;
      }
      sides[0].push_back(noisy);
      sides[1].push_back(text);
    }
    return evaluated(sides[0], sides[1]);
  };
  Rng rng(1);
  const auto truth = draw(rng, 20000);
  std::vector<int> held(truth.size());
  constexpr int kTrials = 300;
  for (int t = 0; t < kTrials; ++t) {
    const auto got = draw(rng, 60);
    for (std::size_t i = 0; i < got.size(); ++i) {
      held[i] += got[i].value.low <= truth[i].value.value && truth[i].value.value <= got[i].value.high;
    }
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i].metric == &text_perplexity) continue;
    EXPECT_GT(held[i], .91 * kTrials) << truth[i].metric->name;
  }
}

}  // namespace
}  // namespace vigie::metric
