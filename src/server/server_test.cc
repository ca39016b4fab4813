// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <boost/asio.hpp>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "server/back_internal.h"
#include "server/http.h"
#include "server/service.h"

namespace vigie::server {
namespace {

TEST(Ingest, TellsWhatIsNoRecordAndWhatWasThere) {
  Folder folder;
  Back back(folder.path);
  EXPECT_EQ(back.add(R"([{"id":"a"},{"id":"b"},{"id":7}])"), "3 accepted, 0 there");
  EXPECT_EQ(
      back.add("{\"id\":\"a\"}\n{}\n{\"id\":\"c\",\"timestamp\":\"soon\"}\nno\n{\"id\":\"d\"}"),
      "1 accepted, 1 there; 1: \"id\" is missing; 2: \"timestamp\" is no time: ISO 8601 or epoch numbers; 3: line "
      "4: not an object");
  EXPECT_EQ(back.add(R"({"id":"a"})"), "0 accepted, 1 there");
  EXPECT_EQ(back.add(R"([{"id":"e"},{"id":"e"}])"), "1 accepted, 1 there");
  EXPECT_EQ(back.add(""), "0 accepted, 0 there");
  EXPECT_EQ(back.add(R"([{"id":"a","label":1},{"id":"b"}])", event::Kind::kLabels),
            "1 accepted, 0 there; 1: \"label\" is missing");
  EXPECT_EQ(back.add(R"({"id":"a"})", event::Kind::kPredictions, "n"), "1 accepted, 0 there");
  EXPECT_EQ(
      back.add(R"({"id":"a"})", event::Kind::kPredictions, "a/b"),
      "\"a/b\" cannot be the name of a model: 1 to 200 bytes of UTF-8 without control characters and / \\ \" ? # %");
  EXPECT_EQ(back.add(R"({"id":"a"})", event::Kind::kPredictions, "o"), "1 accepted, 0 there");
  EXPECT_EQ(back.add(R"({"id":"a"})", event::Kind::kPredictions, "p"), "\"p\" would be one model too many");
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.counts(), "m 5 1, n 1 0, o 1 0");
}

// Whatever is alike in ids and in the numbers of models.
TEST(Ingest, KnowsTheIdsOfOneModelFromThoseOfAnother) {
  Folder folder;
  Back back(folder.path);
  for (const auto* model : {"a", "b", "c"}) {
    std::string body;
    for (const auto* form : {"{}", "1{:02}", "p{:02}", "{:04}", "{:08}"})
      for (int i = 0; i < 100; ++i) body += fmt::format("{{\"id\":\"{}\"}}\n", fmt::format(fmt::runtime(form), i));
    EXPECT_EQ(back.add(body, event::Kind::kPredictions, model), "500 accepted, 0 there");
  }
}

TEST(Ingest, TakesNothingOfWhatIsCountedElsewhere) {
  Folder folder;
  Back back(folder.path);
  EXPECT_EQ(back.add(R"({"id":"a"})"), "1 accepted, 0 there");
  back.ingest->counted_elsewhere({"m"});
  for (const auto kind : {event::Kind::kPredictions, event::Kind::kLabels})
    EXPECT_EQ(back.add(R"({"id":"b","label":1})", kind),
              "\"m\" is watched in an index, where its rows are counted: it takes no others");
  EXPECT_EQ(back.add(R"({"id":"a"})", event::Kind::kPredictions, "n"), "1 accepted, 0 there");
  back.ingest->counted_elsewhere({});
  EXPECT_EQ(back.add(R"({"id":"b"})"), "1 accepted, 0 there");
}

TEST(Ingest, NamesKeysThatNothingIsMadeOf) {
  Folder folder;
  Back back(folder.path);
  const auto unknown = [&](std::string_view model) {
    return back.ingest->unknown_keys(back.models->number_of(model).value());
  };
  back.add(R"({"id":"a","features":{"other":1},"prediction":1,"tags":{},"trace_id":"t"})");
  EXPECT_EQ(unknown("m"), (std::vector<std::string>{}));
  back.add(R"([{"id":"b"},{"id":"c","second":1}])");  // one of a request is looked at
  back.add(R"({"id":"d","label":1,"comment":"x"})", event::Kind::kLabels);
  EXPECT_EQ(unknown("m"), (std::vector<std::string>{}));
  back.add(R"({"id":"e","feature":{"age":NaN},"age":1})");
  EXPECT_EQ(unknown("m"), (std::vector<std::string>{"age", "feature"}));
  EXPECT_EQ(unknown("n"), (std::vector<std::string>{}));
  for (std::uint64_t i = 0; i < Ingest::kLooked; ++i)
    back.add(fmt::format(R"({{"id":"n{}","k{}":1}})", i, i), event::Kind::kPredictions, "n");
  EXPECT_EQ(unknown("n").size(), Ingest::kUnknownKeys);
}

TEST(Ingest, KnowsIdsAfterwardsWhoeverRemembersThem) {
  Folder folder;
  {
    Back back(folder.path);
    EXPECT_EQ(back.add(R"([{"id":"a"},{"id":"b"}])"), "2 accepted, 0 there");
    ASSERT_TRUE(back.follower->catch_up());
    EXPECT_EQ(back.add(R"([{"id":"a"},{"id":"c"}])"), "1 accepted, 1 there");  // b and a: the state; c: waiting
    EXPECT_EQ(back.add(R"([{"id":"c"}])"), "0 accepted, 1 there");
  }
  Back back(folder.path);  // c was never committed: it is read again
  EXPECT_EQ(back.counts(), "m 2 0");
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.counts(), "m 3 0");
  EXPECT_EQ(back.add(R"([{"id":"a"},{"id":"b"},{"id":"c"}])"), "0 accepted, 3 there");
  const std::string longest(5000, 'x');
  EXPECT_EQ(back.add(fmt::format(R"([{{"id":"{0}1"}},{{"id":"{0}2"}}])", longest)), "2 accepted, 0 there");
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.add(fmt::format(R"([{{"id":"{0}1"}},{{"id":"{0}3"}}])", longest)), "1 accepted, 1 there");
}

TEST(Ingest, PromisesNothingOfARecordThatCouldNotBeWritten) {
  Folder folder;
  journal::Options options;
  options.keep_bytes = 1, options.segment_bytes = 1;  // full from the first segment on
  Back back(folder.path, options);
  std::string last;
  int accepted = 0;
  for (int i = 0; i < 10; ++i) {
    last = back.add(fmt::format(R"({{"id":"{}"}})", i));
    if (last != "1 accepted, 0 there") break;
    ++accepted;
  }
  ASSERT_LT(accepted, 10);
  EXPECT_EQ(back.add(fmt::format(R"({{"id":"{}"}})", accepted)), last);  // and not that it is there
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.counts(), fmt::format("m {} 0", accepted));
  for (int i = 0; i < 3; ++i) last = back.add(fmt::format(R"({{"id":"{}"}})", accepted));
  EXPECT_EQ(last, "0 accepted, 1 there");
}

TEST(Follower, PassesOverWhatWasAltered) {
  Folder folder;
  {
    Back back(folder.path);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(back.add(fmt::format(R"({{"id":"{}"}})", i)), "1 accepted, 0 there");
  }
  std::string segment;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path + "/journal"))
    if (entry.path().extension() != ".lock" && entry.file_size() > 0) segment = entry.path();
  std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const auto at = bytes.find("\"id\":\"1\"");
  ASSERT_NE(at, bytes.npos) << "small blocks are not packed";
  file.clear();
  file.seekp(static_cast<std::streamoff>(at) + 6);
  file.put('9');
  file.close();
  Back back(folder.path);
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.counts(), "m 2 0");
  EXPECT_NE(back.follower->lost().find("1 piece of the journal could not be read"), std::string::npos)
      << back.follower->lost();
  EXPECT_EQ(back.add(R"([{"id":"0"},{"id":"2"},{"id":"3"}])"), "1 accepted, 2 there");
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.counts(), "m 3 0");
}

TEST(ReferenceOfRows, TimesMayBeWrittenInSeveralWays) {
  std::string rows;
  for (int i = 0; i < 3000; ++i)
    rows += fmt::format(R"({{"id":"{}","timestamp":{},"features":{{"x":{}}}}})", i,
                        i % 3 == 0 ? fmt::format("\"2023-11-{:02}T00:00:00Z\"", 1 + i / 200)
                                   : fmt::format("{}", 1'698'796'800LL + i * 432LL),
                        i % 7) +
            "\n";
  const auto reference = reference_of_rows(rows, "body", "0", {});
  ASSERT_TRUE(reference) << reference.error().message;
  EXPECT_EQ(reference->timestamp, "timestamp");
  EXPECT_EQ(reference->window_count, 15);
  const auto wrong = reference_of_rows(rows + R"({"id":"a","timestamp":"noon"})", "body", "0", {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("is text, not a time"), std::string::npos) << wrong.error().message;
}

// A day holds many more rows than the journal may keep, and it is begun anew again and again.
TEST(SlowFollower, KeepsWhatItCountedOfWindowsThatAreOpen) {
  constexpr std::int64_t kDay = 1'699'920'000;  // s; 2023-11-14T00:00:00Z
  constexpr int kEach = 20'000;
  Folder folder;
  std::string rows;
  for (int i = 0; i < 2000; ++i)
    rows += fmt::format(R"({{"id":"r{0}","timestamp":{1},"features":{{"x":{2}}}}})", i, kDay - 86'400LL * (1 + i / 100),
                        i % 97) +
            "\n";
  const auto profile = engine::save_profile(reference_of_rows(rows, "body", "0", {}).value());
  journal::Options options;
  options.sync = journal::Sync::kNever, options.compression = 0;
  options.segment_bytes = 1 << 20, options.keep_bytes = 12 << 20;
  int sent = 0;
  std::uint64_t begin = 0;
  for (int round = 0; round < 15; ++round) {
    Back back(folder.path, options);
    ASSERT_TRUE(back.follower->catch_up()) << round;
    if (round == 0) {
      journal::Records records;
      records.add(event::encode({event::Kind::kReference, "m", profile}));
      ASSERT_TRUE(back.journal->append(std::move(records)));
    }
    for (int batch = 0; batch < 4; ++batch) {
      std::string body;
      for (int i = 0; i < kEach / 4; ++i, ++sent)
        body += fmt::format(R"({{"id":"{0}","timestamp":{1},"version":"v{2}","features":{{"x":{3}}}}})", sent,
                            kDay + sent / 10, sent % 3, sent % 97) +
                "\n";
      ASSERT_EQ(back.add(body), fmt::format("{} accepted, 0 there", kEach / 4)) << sent;
    }
    ASSERT_TRUE(back.follower->catch_up()) << round;
    begin = back.journal->begin();
  }
  EXPECT_GT(begin, 20U);
  Back back(folder.path, options);
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.follower->lost(), "");
  back.add(fmt::format(R"({{"id":"next","timestamp":{},"features":{{"x":1}}}})", kDay + 90'000));
  back.follower->start();
  std::vector<store::Window> windows;
  for (int i = 0; i < 100 && windows.empty(); ++i, std::this_thread::sleep_for(std::chrono::milliseconds(100)))
    windows = back.store->windows({.model = "m"}).value();
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_NE(windows[0].body.find(fmt::format("\"rows\": {}", sent)), std::string::npos)
      << windows[0].body.substr(0, 300);
  EXPECT_NE(windows[0].body.find(R"("versions": {"v0":100000,"v1":100000,"v2":100000})"), std::string::npos);
}

TEST(State, ForgetsWhatWasNotCommitted) {
  Folder folder;
  {
    auto state = State::open(folder.path).value();
    EXPECT_TRUE(state->add_prediction(1, "a", 0).value());
    EXPECT_FALSE(state->add_prediction(1, "a", 1).value());
    EXPECT_TRUE(state->add_prediction(2, "a", 1).value());
    EXPECT_EQ(state->add_label(1, "a", "yes").value(), State::Labelled::kFirst);
    EXPECT_EQ(state->add_label(1, "a", "yes").value(), State::Labelled::kRepeated);
    EXPECT_EQ(state->add_label(1, "a", "no").value(), State::Labelled::kCorrected);
    Model model{1, "m", 1, 1, 5.0, "ok"};
    ASSERT_TRUE(state->commit(7, {&model, 1}));
    EXPECT_TRUE(state->add_prediction(1, "b", 2).value());
  }
  auto state = State::open(folder.path).value();
  EXPECT_EQ(state->offset().value(), 7U);
  const auto models = state->models().value();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0], (Model{1, "m", 1, 1, 5.0, "ok"}));
  std::vector<std::uint8_t> known;
  const std::vector<std::string_view> ids{"a", "b", ""};
  ASSERT_TRUE(state->known(1, ids, known));
  EXPECT_EQ(known, (std::vector<std::uint8_t>{1, 0, 0}));
  EXPECT_TRUE(state->add_prediction(1, "b", 2).value());
}

TEST(Unpack, AnswersWhatIsDamagedOrTooLarge) {
  const std::string text(200'000, 'a');
  std::string packed(1000, '\0');
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data())), stream.avail_in = 200'000;
  stream.next_out = reinterpret_cast<Bytef*>(packed.data()), stream.avail_out = 1000;
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  EXPECT_EQ(unpack(packed, "gzip", 200'000).value(), text);
  EXPECT_EQ(unpack(packed, "GZip", 200'000).value(), text);
  EXPECT_EQ(unpack(packed + packed, "gzip", 1 << 20).value(), text + text);
  auto said = [](std::string body, std::string_view packing, std::uint64_t limit = 1 << 20) {
    return unpack(std::move(body), packing, limit).error().message;
  };
  EXPECT_EQ(said(packed, "gzip", 100'000), "unpacked, the body is over 100000 bytes: too large");
  EXPECT_EQ(said(packed.substr(0, packed.size() - 3), "gzip"), "the body is no whole gzip stream");
  EXPECT_EQ(said("text", "gzip"), "the body is no whole gzip stream");
  EXPECT_EQ(said("", "zstd"), "the body is no whole zstd stream");
  EXPECT_EQ(said("text", "zstd"), "the body is no zstd stream: Unknown frame descriptor");
  EXPECT_EQ(said("text", "br"), "Content-Encoding: br is not known; gzip and zstd are");
}

// All that is answered to bytes on one connection that it closes, or that is closed after them.
std::string answered(std::uint16_t port, const std::string& bytes) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  // The service may have answered and closed before all is written.
  boost::system::error_code end;
  boost::asio::write(socket, boost::asio::buffer(bytes), end);
  static_cast<void>(socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, end));
  std::string all;
  boost::asio::read(socket, boost::asio::dynamic_buffer(all), end);
  return all;
}

// The statuses of it.
std::string answers(std::uint16_t port, const std::string& bytes) {
  const auto all = answered(port, bytes);
  std::string out;
  for (std::size_t at = 0; (at = all.find("HTTP/1.1 ", at)) != all.npos; at += 9)
    out += (out.empty() ? "" : " ") + all.substr(at + 9, 3);
  return out;
}

TEST(Service, SpeaksHttp) {
  Folder folder;
  const auto at = [&](const std::string& data, std::uint16_t port) {
    ServiceOptions options;
    options.data = data, options.http.port = port, options.http.body_limit = 1000, options.http.header_limit = 500;
    options.http.threads = 2;
    return options;
  };
  auto service = Service::start(at(folder.path, 0)).value();
  auto post = [](std::string_view body, std::string_view more = "") {
    return fmt::format("POST /v1/models/m/predictions HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", more,
                       body.size(), body);
  };
  const std::string get = "GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(answers(service->port(), post(R"({"id":"a"})") + get + post("[]") + post(R"({"id":"b"})")),
            "202 200 400 202");
  EXPECT_EQ(answers(service->port(),
                    "POST /v1/models/m/labels HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "9\r\n{\"id\":\"a\"\r\nd\r\n,\"label\":\"y\"}\r\n0\r\n\r\n"),
            "202");
  EXPECT_EQ(answers(service->port(), post(R"({"id":"a"})", "Expect: 100-continue\r\n")), "100 202");
  EXPECT_EQ(answers(service->port(), "\r\n" + get + "\r\n\r\n" + get), "200 200");
  EXPECT_EQ(answers(service->port(), post(std::string(1001, ' '))), "413");
  for (const auto* path : {"PUT /v1/models/m", "POST /v1/models/m/maintenance", "POST /v1/incidents/x/ack"})
    EXPECT_EQ(
        answers(service->port(), fmt::format("{} HTTP/1.1\r\nHost: x\r\nContent-Length: 909\r\n\r\n{{\"tags\":{}{}}}",
                                             path, std::string(450, '['), std::string(450, ']'))),
        "400");
  EXPECT_EQ(answers(service->port(), post("{}", "X: " + std::string(600, 'x') + "\r\n")), "431");
  EXPECT_EQ(answers(service->port(), "nonsense\r\n\r\n"), "400");
  EXPECT_EQ(answers(service->port(), post(R"({"id":"a"})").substr(0, 40)), "");
  EXPECT_EQ(
      answers(service->port(), "GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"),
      "400 200");
  EXPECT_EQ(answers(service->port(), "PUT /v1/models HTTP/1.1\r\nHost: x\r\n\r\nGET /v1 HTTP/1.1\r\nHost: x\r\n\r\n"),
            "405 404");
  EXPECT_EQ(Service::start(at(folder.path, 0)).error().message, folder.path + ": another vigie has this folder");
  EXPECT_EQ(Service::start(at(folder.path + "/other", service->port())).error().message,
            fmt::format("cannot listen on 127.0.0.1:{}: Address already in use", service->port()));
}

TEST(Service, RefusesWhatThereIsNoRoomForAndGoesOnByItself) {
  Folder folder;
  ServiceOptions options;
  options.data = folder.path, options.http.port = 0;
  std::mutex mutex;
  std::vector<std::string> said;
  options.log = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    if (line.find("accepted") != line.npos) said.push_back(line.substr(0, line.find(": ")));
  };
  auto service = Service::start(std::move(options)).value();
  const std::string post =
      "POST /v1/models/m/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{\"id\":\"a\"}";
  const std::string healthy = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string ready = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(answers(service->port(), healthy), "200");
  set_io_fault([](std::string_view call) { return call == "write" ? ENOSPC : 0; });
  EXPECT_EQ(answers(service->port(), post), "429");
  EXPECT_EQ(answers(service->port(), healthy + ready + post), "503 200 429");
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_EQ(answers(service->port(), healthy), "503");
  set_io_fault({});
  for (int i = 0; i < 100 && answers(service->port(), healthy) != "200"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(answers(service->port(), healthy + post), "200 202");
  const std::lock_guard lock(mutex);
  EXPECT_EQ(said, (std::vector<std::string>{"no record is accepted", "records are accepted again"}));
}

// What a header holds never begins another one.
TEST(HttpServer, SendsNoHeaderThatIsTwo) {
  HttpOptions options;
  options.port = 0, options.threads = 1;
  auto server = HttpServer::listen(
      options, [](const Request&) { return std::optional<Reply>(); },
      [](Request&& request, Answer answer) {
        Reply reply{200, "{}"};
        reply.headers.emplace_back("Link", "<" + request.path.at(0) + ">");
        answer(std::move(reply));
        return true;
      });
  ASSERT_TRUE(server);
  (*server)->run();
  EXPECT_EQ(answers((*server)->port(), "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), "200");
  EXPECT_EQ(answers((*server)->port(), "GET /a%0d%0aSet-Cookie:%20x HTTP/1.1\r\nHost: x\r\n\r\n"), "500");
  (*server)->stop();
}

// Requests that are handled when a test says so; "/next…" may be followed before it is answered.
class HeldServer {
 public:
  HeldServer() {
    HttpOptions options;
    options.port = 0, options.threads = 2;
    server_ = HttpServer::listen(
                  options, [](const Request&) { return std::optional<Reply>(); },
                  [this](Request&& request, Answer answer) {
                    if (request.path.at(0) == "throws") throw std::runtime_error("<no memory>");
                    const std::lock_guard lock(mutex_);
                    held_.emplace_back(request.path.at(0), std::move(answer));
                    return held_.back().first.starts_with("next");
                  })
                  .value();
    server_->run();
  }
  ~HeldServer() {
    server_->stop();
    held_.clear();
    server_.reset();  // who still waits is let go
  }
  std::shared_future<std::string> ask(const std::vector<std::string>& paths) {
    std::string bytes;
    for (const auto& path : paths) bytes += fmt::format("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", path);
    const auto port = server_->port();
    return asked_ = std::async(std::launch::async, [=] { return answered(port, bytes); });
  }
  // The paths of what was begun, once there are so many and, a moment later, still are.
  std::vector<std::string> begun(std::size_t count) {
    for (int i = 0; i < 1000 && paths().size() < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return paths();
  }
  // Answers the one at `place` with its path, or drops it.
  void end(std::size_t place, bool tells = true) {
    std::unique_lock lock(mutex_);
    auto answer = std::exchange(held_[place].second, nullptr);
    const auto path = held_[place].first;
    lock.unlock();
    if (tells) answer({200, "<" + path + ">"});
  }

 private:
  std::vector<std::string> paths() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [path, answer] : held_) out.push_back(path);
    return out;
  }
  std::mutex mutex_;
  std::deque<std::pair<std::string, Answer>> held_;
  std::shared_future<std::string> asked_;  // ends once the server has
  std::unique_ptr<HttpServer> server_;
};

// The bodies of answers, one behind the other.
std::string bodies_of(const std::string& all) {
  std::string out;
  for (std::size_t at = 0; (at = all.find('<', at)) != all.npos; ++at)
    out += all.substr(at, all.find('>', at) + 1 - at);
  return out;
}

using Paths = std::vector<std::string>;

TEST(HttpServer, AnswersInTheOrderOfTheRequestsWhateverIsKnownFirst) {
  HeldServer server;
  auto said = server.ask({"next1", "next2", "next3"});
  ASSERT_EQ(server.begun(3), (Paths{"next1", "next2", "next3"}));
  for (std::size_t place : {2, 0, 1}) server.end(place);
  EXPECT_EQ(bodies_of(said.get()), "<next1><next2><next3>");
}

TEST(HttpServer, BeginsNothingBehindWhatHasToBeAnsweredFirst) {
  HeldServer server;
  auto said = server.ask({"next1", "alone", "next2"});
  ASSERT_EQ(server.begun(2), (Paths{"next1", "alone"}));
  server.end(1);
  EXPECT_EQ(server.begun(2).size(), 2U);  // what came before it is not answered
  server.end(0);
  ASSERT_EQ(server.begun(3).size(), 3U);
  server.end(2);
  EXPECT_EQ(bodies_of(said.get()), "<next1><alone><next2>");
}

TEST(HttpServer, BeginsSoManyOfAConnectionAndNoMore) {
  HeldServer server;
  Paths paths;
  std::string wanted;
  for (int i = 0; i < 150; ++i) paths.push_back(fmt::format("next{}", i)), wanted += "<" + paths.back() + ">";
  auto said = server.ask(paths);
  ASSERT_EQ(server.begun(64).size(), 64U);
  for (std::size_t ended = 0; ended < paths.size();) {
    const auto begun = server.begun(ended + 1).size();
    ASSERT_GT(begun, ended);
    ASSERT_LE(begun, ended + 64);
    for (; ended < begun; ++ended) server.end(ended);
  }
  EXPECT_EQ(bodies_of(said.get()), wanted);
}

TEST(HttpServer, EndsAConnectionBehindWhatNobodyAnswers) {
  HeldServer server;
  auto said = server.ask({"next1", "next2", "next3"});
  ASSERT_EQ(server.begun(3).size(), 3U);
  server.end(2), server.end(1, false), server.end(0);
  EXPECT_EQ(bodies_of(said.get()), "<next1>");
}

TEST(HttpServer, TellsWhatIsThrownBehindWhatIsAwaited) {
  HeldServer server;
  auto said = server.ask({"next1", "throws", "next2"});
  ASSERT_EQ(server.begun(1), (Paths{"next1"}));
  server.end(0);
  ASSERT_EQ(server.begun(2), (Paths{"next1", "next2"}));
  server.end(1);
  EXPECT_EQ(bodies_of(said.get()), "<next1><no memory><next2>");
}

// Who goes away while answers are awaited takes nothing with it.
TEST(HttpServer, OutlivesWhoDoesNotWaitForAnswers) {
  std::optional<HeldServer> server(std::in_place);
  auto said = server->ask({"next1", "next2"});
  ASSERT_EQ(server->begun(2).size(), 2U);
  server->end(0);
  server.reset();  // drops the other one
  EXPECT_EQ(bodies_of(said.get()), "");
}

// Many that send the same ids at once, some of them twice: each is accepted by one.
TEST(Service, CountsEachIdOnceWhoeverSendsIt) {
  Folder folder;
  {
    Back back(folder.path);
    back.follower->start();
    std::atomic<int> accepted = 0, there = 0;
    std::vector<std::thread> senders;
    for (int t = 0; t < 4; ++t) {
      senders.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          std::string body;
          for (int k = 0; k < 10; ++k) body += fmt::format("{{\"id\":\"{}\"}}\n", 7 * i + k);
          int a = 0, d = 0;
          std::sscanf(back.add(body).c_str(), "%d accepted, %d there", &a, &d);
          accepted += a, there += d;
        }
      });
    }
    for (auto& sender : senders) sender.join();
    EXPECT_EQ(accepted, 7 * 49 + 10);
    EXPECT_EQ(there, 4 * 500 - accepted);
    back.follower.reset();
  }
  Back back(folder.path);
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(back.counts(), "m 353 0");
}

}  // namespace
}  // namespace vigie::server
