// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "notify/example_test_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

using Kind = event::Notice::Kind;
using State = event::Incident::State;

TEST(Text, IsWhatAPhoneShouldShow) {
  EXPECT_EQ(plain(text_of(notice(), context())),
            "CRITICAL credit <b>&\"é: \"age\" moved by 0.4 sd, <!channel>\n"
            "\n"
            "- age_of_*_x where country=FR: moved by 0.4 sd  Bcc: x@x.org (omnibus)\n"
            "- volume: half the rows of an hour (warning, since Fri 27 Nov 04:00 CET)\n"
            "- income: 3 % are missing (missing)\n"
            "- and 2 more\n"
            "\n"
            "Since: Fri 27 Nov 03:00 CET, 2 windows\n"
            "Owner: ana\n"
            "Runbook: https://wiki.example.org/credit?a=1&b=2\n"
            "Details: https://vigie.example.org/#credit%2F%C3%A9-20261127T020000Z\n"
            "\n"
            "To say that you look after it:\n"
            "curl -d \"{\\\"by\\\": \\\"$USER\\\"}\" "
            "'https://vigie.example.org/v1/incidents/credit%2F%C3%A9-20261127T020000Z/ack'\n");
}

TEST(Text, OfAnEndSaysHowLongItLasted) {
  const auto text = text_of(notice(Kind::kResolved), context());
  EXPECT_EQ(text.headline, "RESOLVED credit <b>&\"é, after 2 h: \"age\" moved by 0.4 sd, <!channel>");
  EXPECT_EQ(text.facts.front().value, "2 h, from Fri 27 Nov 03:00 CET to Fri 27 Nov 05:00 CET, 2 windows");
  EXPECT_EQ(text.command, "");
}

TEST(Text, OfAReminderSaysWhetherAnybodyAnswered) {
  auto reminder = notice(Kind::kReminder);
  EXPECT_TRUE(
      text_of(reminder, context()).headline.starts_with("CRITICAL credit <b>&\"é, unanswered for 1 h 55 min: "));
  reminder.incident.state = State::kAcknowledged, reminder.incident.answered_by = "ana",
  reminder.incident.note = "on it";
  const auto text = text_of(reminder, context());
  EXPECT_TRUE(text.headline.starts_with("CRITICAL credit <b>&\"é, acknowledged for 1 h 55 min: ")) << text.headline;
  EXPECT_NE(plain(text).find("\nAnswer: acknowledged by ana\nNote: on it\n"), std::string::npos) << plain(text);
  EXPECT_EQ(text.command, "");
  EXPECT_TRUE(text_of(notice(Kind::kWorse), context()).headline.starts_with("CRITICAL credit <b>&\"é, worse: "));
}

TEST(Text, WithoutAPageThereIsNothingToFollow) {
  auto none = context();
  none.page.clear(), none.zone.clear();
  const auto text = text_of(notice(), none);
  EXPECT_EQ(text.links.size(), 1U);
  EXPECT_EQ(text.command, "");
  EXPECT_EQ(text.facts.front().value, "Fri 27 Nov 02:00 UTC, 2 windows");
}

TEST(Text, AnApiWithTokensWantsOneInTheCommand) {
  auto with = context();
  with.token = true;
  EXPECT_TRUE(text_of(notice(), with).command.starts_with("curl -H \"Authorization: Bearer $VIGIE_TOKEN\" -d "));
}

TEST(Text, ARunbookThatIsNoAddressIsNoLink) {
  for (const auto* runbook :
       {"javascript:alert(1)", "see the wiki", "https://x.org/a b", "https://x.org/\"><script>"}) {
    auto n = notice();
    n.incident.runbook = runbook;
    const auto text = text_of(n, context());
    EXPECT_EQ(text.links.size(), 1U) << runbook;
    EXPECT_NE(plain(text).find(std::string("Runbook: ") + runbook), std::string::npos);
  }
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(one_line("é€😀x", 3), "é€…");
  EXPECT_EQ(one_line("é€😀", 3), "é€😀");
  EXPECT_EQ(one_line("a\nb\x1b[1m\xff\xc3", 20), "a b [1m��");
  EXPECT_EQ(shortened("a\nb", 20), "a\nb");
  auto n = notice();
  n.incident.summary.assign(100'000, 'x');
  n.incident.causes[0].reason.assign(100'000, '\xe9');
  const auto text = text_of(n, context());
  EXPECT_LE(text.headline.size(), 210U);
  EXPECT_TRUE(is_utf8(plain(text)));
  EXPECT_LE(plain(text).size(), 4000U);
}

TEST(Text, AnEmptyIncidentHasOneToo) {
  const event::Notice none{};
  EXPECT_EQ(text_of(none, {}).headline, "WARNING ");
  EXPECT_EQ(text_of(none, {}).facts.front().value, "Thu 01 Jan 00:00 UTC");
}

}  // namespace
}  // namespace vigie::notify
